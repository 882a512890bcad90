# Reduces a report to what is stored here: `jq -c -f reports/strip.jq report.json`. Keeps only the
# failed and inconclusive cases, with the first violation of each requirement and cause. The causes stay
# whole. A new run of the suite recreates everything else.
.profiles[].requirements[] |= (.exempt_in = [] | .tested_by = [])
| .cases |= map(
    select(.outcome != "pass" and .outcome != "warn" and .outcome != "skipped")
    | del(.why, .har)
    | .title = "" | .file = "" | .proves = []
    | .links = [] | .steps = [] | .replay = ""
    | .violations |= (map(select(.weight == "fail")) | unique_by([.requirement, .cause])
      | map({requirement, weight, step, attempt, message, cause} | with_entries(select(.value != null))))
  )
