//! Decides whether a member or a header of a request is to blame for the way that a call took. It
//! is to blame only if the same call takes another way when the member or header is removed.

use fallproof_judge::{ControlViolation, Violation, ViolationKind};
use fallproof_protocol::json::Tree;

use super::case::{FuzzCase, Request, Step};

/// Removes the member or header that this violation blames from the case. Returns `None` if the
/// violation does not blame one.
pub(super) fn without(case: &FuzzCase, violation: &Violation) -> Option<FuzzCase> {
    let ViolationKind::Control(control) = &violation.kind else { return None };
    let remove: &dyn Fn(&mut Request) =
        if let ControlViolation::SteeredByBody { member, .. } = control {
            &move |request| remove_member(&mut request.body, member)
        } else if let ControlViolation::SteeredByHeader { header, .. } = control {
            &move |request| {
                request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(header));
            }
        } else {
            return None;
        };
    let mut without = case.clone();
    for step in &mut without.steps {
        if let Step::Call(request) = step {
            remove(request);
        }
    }
    Some(without)
}

/// Removes the member with this name. `metadata.NAME` is the name of a member of `metadata`.
fn remove_member(body: &mut Tree, name: &str) {
    let Tree::Object(members) = body else { return };
    match name.strip_prefix("metadata.") {
        Some(inner) => {
            let metadata = members.iter_mut().filter(|(name, _)| name == "metadata");
            metadata.for_each(|(_, value)| remove_member(value, inner));
        }
        None => members.retain(|(known, _)| known != name),
    }
}

#[cfg(test)]
mod tests {
    use fallproof_judge::{ChainDeviation, Verdict};
    use fallproof_suite::requirement::Code;

    use super::*;
    use crate::executor::fixed_groups;
    use crate::formatting::Formatting;
    use crate::generate::Scope;

    fn blaming(control: ControlViolation) -> Violation {
        Violation {
            requirement: Some(Code::Control01),
            call: 0,
            attempt: None,
            deployment: None,
            pointer: None,
            kind: control.into(),
            verdict: Verdict::Fail,
            declared: None,
        }
    }

    #[test]
    fn the_blamed_part_is_left_out_and_nothing_else() {
        let body = Tree::parse(br#"{"api_base":"x","metadata":{"tags":"t","a":"b"},"n":1}"#);
        let headers = [("X-LiteLLM-Tags", "t"), ("x-b", "c")];
        let request = Request {
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            body: body.expect("it is JSON"),
            formatting: Formatting::default(),
        };
        let mut case = fixed_groups(&Scope::default(), true).remove(0);
        case.steps = vec![Step::Call(request)];
        let left = |control: ControlViolation| {
            let without = without(&case, &blaming(control)).expect("it blames a part");
            let request = without.requests().next().expect("it has a call").clone();
            (request.body.compact(), request.headers.len())
        };
        let how = ChainDeviation::NoAttempt;
        let by_body = |member: &str| ControlViolation::SteeredByBody {
            member: member.to_owned(),
            how: how.clone(),
        };
        let (whole, _) = left(by_body("other"));
        assert_eq!(left(by_body("api_base")).0, whole.replace(r#""api_base":"x","#, ""));
        assert_eq!(left(by_body("metadata.tags")).0, whole.replace(r#""tags":"t","#, ""));
        let header = "x-litellm-tags".to_owned();
        assert_eq!(
            left(ControlViolation::SteeredByHeader { header, how: how.clone() }),
            (whole, 1)
        );
        assert!(without(&case, &blaming(ControlViolation::CarriesClientKey)).is_none());
    }
}
