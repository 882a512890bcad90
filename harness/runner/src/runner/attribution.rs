//! Attribution of attempts to the calls that caused them.

use fallproof_protocol::request_log::RecordedRequest;
use fallproof_suite::evidence::CallEvidence;
use fallproof_suite::plan::Group;
use memchr::memmem;

/// The value of `{{call}}` in the body of this call. No token is contained in another token.
pub(super) fn call_token(position: usize, call: usize) -> String {
    format!("call-{}-{:02}", position + 1, call + 1)
}

/// Attributes these attempts to the `calls`, which were made at the same time.
///
/// An attempt belongs to a call for the same group: to the call whose token it carries or, if there
/// is no such call, to the first call. If there is no call for its group, the attempt is
/// misdirected. An attempt with the token of an `earlier` call is dropped: the target continued
/// that call after its client disconnected, and the call is already recorded.
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
