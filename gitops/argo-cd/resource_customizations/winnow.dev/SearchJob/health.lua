-- Health of a SearchJob: Healthy once it is complete, Degraded once it has failed.
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

if holds("Failed") then
  return { status = "Degraded", message = found.Failed.message }
end
if holds("Complete") then
  return { status = "Healthy", message = found.Complete.message }
end
if holds("Suspended") then
  return { status = "Suspended", message = found.Suspended.message }
end
if found.Reconciling ~= nil then
  health.message = found.Reconciling.message
end
return health
