# What is kept here of a report: `jq -c -f reports/strip.jq report.json`. Of the cases only those
# that speak against the target, with the first finding of each kind that does. A run brings back
# the rest.
.profiles[].requirements[] |= (.exempt_in = [] | .tested_by = [])
| .cases |= map(
    select(.outcome != "pass" and .outcome != "warn" and .outcome != "skipped")
    | del(.why, .har)
    | .title = "" | .file = "" | .proves = []
    | .links = [] | .steps = [] | .replay = ""
    | .violations |= (map(select(.weight == "fail")) | unique_by(.requirement)
      | map({requirement, weight, step, attempt, message} | with_entries(select(.value != null))))
  )
