//! Which call led to which attempt.

use fallproof_protocol::request_log::RecordedRequest;
use fallproof_suite::evidence::CallEvidence;
use fallproof_suite::plan::Group;
use memchr::memmem;

/// The word that stands for `{{call}}` in this call's body; none is a part of another.
pub(super) fn word(position: usize, call: usize) -> String {
    format!("call-{}-{:02}", position + 1, call + 1)
}

/// Files these attempts under the `calls`, which were made at the same time: each under the one for
/// its group whose word it carries, else under the first one for its group; what reached a group
/// that nobody asked for was misdirected. One for an `earlier` call, which the target has not given up
/// although its client has, is dropped: that call was seen to its end.
pub(super) fn attribute(
    attempts: Vec<RecordedRequest>,
    groups: &[Group],
    earlier: &[CallEvidence],
    calls: &mut [CallEvidence],
) {
    for attempt in attempts {
        let carries_word_of = |call: &CallEvidence| {
            memmem::find(&attempt.body, word(call.position, call.call).as_bytes()).is_some()
        };
        if earlier.iter().any(carries_word_of) {
            continue;
        }
        let prefix = attempt.prefix.as_deref().unwrap_or_default();
        let group = groups.iter().find(|group| group.deployment_at(prefix).is_some());
        let is_for_it = |call: &CallEvidence| group.is_some_and(|group| group.name == call.group);
        let its_own = calls.iter().position(|call| is_for_it(call) && carries_word_of(call));
        match its_own.or_else(|| calls.iter().position(is_for_it)) {
            Some(index) => calls[index].requests.push(attempt),
            None => calls[0].misdirected.push(attempt),
        }
    }
}

#[cfg(test)]
mod tests;
