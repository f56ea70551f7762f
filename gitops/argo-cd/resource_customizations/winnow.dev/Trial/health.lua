-- Health of a Trial, which is a record: Argo CD shows it below the job that it belongs to.
local outcome = obj.status and obj.status.outcome or "Active"
local message = obj.status and obj.status.message or ""

if outcome == "Failed" then
  return { status = "Degraded", message = message }
end
if outcome == "Active" then
  return { status = "Progressing", message = message }
end
return { status = "Healthy", message = message }
