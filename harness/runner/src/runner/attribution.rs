//! Attribution of attempts to the calls that caused them.

use fallproof_protocol::request_log::RecordedRequest;
use fallproof_suite::evidence::CallEvidence;
use fallproof_suite::plan::Group;
use memchr::memmem;

/// The value of `{{call}}` in the body of this call. No such value is part of another.
pub(super) fn call_token(position: usize, call: usize) -> String {
    format!("call-{}-{:02}", position + 1, call + 1)
}

/// Attributes these attempts to the `calls`, which were made at the same time.
///
/// An attempt belongs to the call for its group whose token it carries, or else to the first call
/// for its group. An attempt at a group without a call is misdirected. An attempt for an `earlier`
/// call is dropped: the target continued it after its client disconnected, and that call is already
/// recorded.
pub(super) fn attribute(
    attempts: Vec<RecordedRequest>,
    groups: &[Group],
    earlier: &[CallEvidence],
    calls: &mut [CallEvidence],
) {
    for attempt in attempts {
        let carries_token_of = |call: &CallEvidence| {
            memmem::find(&attempt.body, call_token(call.position, call.call).as_bytes()).is_some()
        };
        if earlier.iter().any(carries_token_of) {
            continue;
        }
        let prefix = attempt.prefix.as_deref().unwrap_or_default();
        let group = groups.iter().find(|group| group.deployment_at(prefix).is_some());
        let is_for_it = |call: &CallEvidence| group.is_some_and(|group| group.name == call.group);
        let its_own = calls.iter().position(|call| is_for_it(call) && carries_token_of(call));
        match its_own.or_else(|| calls.iter().position(is_for_it)) {
            Some(index) => calls[index].requests.push(attempt),
            None => calls[0].misdirected.push(attempt),
        }
    }
}

#[cfg(test)]
mod tests;
