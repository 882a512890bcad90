# What is kept here of a report: `jq -c -f reports/strip.jq report.json`. Of the cases only those
# that speak against the target, with one finding of each kind. A run brings back the rest.
.profiles[].requirements[] |= (.noted_in = [] | .proven_by = [])
| .cases |= map(
    select(.outcome != "pass" and .outcome != "skipped")
    | del(.why, .har)
    | .links = [] | .steps = [] | .replay = ""
    | .findings |= (map(select(.weight != "note")) | unique_by(.requirement))
  )
