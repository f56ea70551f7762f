-- Health of a ModelServer: Healthy while what was asked for serves, Degraded once it was given up,
-- though the revision before it goes on serving.
local health = { status = "Progressing", message = "the operator has not seen this generation yet" }
local status = obj.status
if status == nil or status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
  return health
end

local found = {}
for _, condition in ipairs(status.conditions) do
  found[condition.type] = condition
end

local function holds(kind)
  return found[kind] ~= nil and found[kind].status == "True"
end

if holds("Stalled") then
  return { status = "Degraded", message = found.Stalled.message }
end
if holds("Reconciling") then
  return { status = "Progressing", message = found.Reconciling.message }
end
if holds("Ready") then
  return { status = "Healthy", message = found.Ready.message }
end
if found.Ready ~= nil then
  health.message = found.Ready.message
end
return health
