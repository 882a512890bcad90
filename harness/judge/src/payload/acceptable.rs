//! `FP-PAYLOAD-06`: the body of an attempt is valid for its provider.

use fallproof_protocol::json::Tree;
use fallproof_protocol::multipart;
use fallproof_protocol::violation::{Strength, Violation as Complaint, ViolationKind};
use fallproof_strict as strict;
use fallproof_suite::requirement::Code;
use serde_json::Value;

use super::body;
use super::conversation::is_translated;
use crate::collector::Collector;
use crate::observe::{Attempt, View};
use crate::violation::{PayloadViolation, Verdict};

/// Reports the provider's complaint, unless the client's own body would also cause it.
pub(super) fn check(found: &mut Collector<'_>, attempt: &Attempt<'_>) {
    let view = found.view;
    let Some(complaint) = &attempt.recorded.violation else { return };
    if is_clients_own(view, attempt, complaint) || is_of_a_conversation(view, attempt, complaint) {
        return;
    }
    let provider = attempt.deployment.surface_label();
    let kind = PayloadViolation::NotValid { provider, message: complaint.message.clone() };
    let violation = found.breach(Code::Payload06, kind);
    violation.at(attempt).pointing(&complaint.pointer).verdict = match complaint.strength {
        Strength::Observed => Verdict::Fail,
        Strength::Documented => Verdict::Warn,
    };
}

/// Whether the client's own body would cause the complaint. Also true if this is unknown.
fn is_clients_own(view: View<'_>, attempt: &Attempt<'_>, complaint: &Complaint) -> bool {
    let Some((surface, endpoint)) = attempt.recorded.route else { return true };
    let (sent, model) = (&view.observed.exchange.sent, &attempt.deployment.model);
    let clients_own = if endpoint.is_multipart() {
        let fields = multipart::read(&body::sent_type(view), sent);
        fields.and_then(|fields| strict::check_form(surface, endpoint, model, &fields))
    } else {
        strict::check(surface, endpoint, model, sent)
    };
    // If a body has several errors, the order of its members decides which one is reported.
    let is_sent = || {
        let sent: Result<Value, _> = serde_json::from_slice(sent);
        sent.is_ok_and(|sent| sent.pointer(&complaint.pointer).is_some())
    };
    clients_own.is_some_and(|own| {
        own.strength == Strength::Observed
            || own.code == complaint.code && (own.pointer == complaint.pointer || is_sent())
    })
}

/// Whether the complaint is about the id of a previous response, and the gateway sent the right id.
/// Then either the client invented the id, or another deployment produced the response, which ROUTE
/// covers. In all other cases, the gateway failed to translate an id that it had assigned itself.
fn is_of_a_conversation(view: View<'_>, attempt: &Attempt<'_>, complaint: &Complaint) -> bool {
    let received = || Tree::parse(&attempt.recorded.body);
    complaint.kind == ViolationKind::UnknownResponse
        && (view.conversation().is_none() || received().is_ok_and(|it| is_translated(view, &it)))
}
