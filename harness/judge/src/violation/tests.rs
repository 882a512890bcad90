use fallproof_suite::evidence::Ending;

use super::*;

#[test]
fn a_violation_serializes_as_data_and_displays_as_a_sentence() {
    let violation = Violation {
        requirement: Some(Code::Payload02),
        call: 0,
        attempt: Some(2),
        deployment: Some("backup".to_owned()),
        pointer: Some("/seed".to_owned()),
        kind: PayloadViolation::Lost { value: "7".to_owned() }.into(),
        verdict: Verdict::Note,
        declared: Some(Excuse::Rewrites("it has no seeds".to_owned())),
    };
    assert_eq!(violation.to_string(), "attempt 2 lost /seed: 7");
    assert_eq!(violation.kind.name(), "lost");
    let written = serde_json::to_value(&violation).expect("a violation serializes");
    let expected = serde_json::json!({
        "requirement": "FP-PAYLOAD-02",
        "call": 0,
        "attempt": 2,
        "deployment": "backup",
        "pointer": "/seed",
        "kind": { "payload": { "lost": { "value": "7" } } },
        "verdict": "note",
        "declared": { "rewrites": "it has no seeds" },
    });
    assert_eq!(written, expected);
}

/// The phrases of all kinds, before the details are filled in.
const ALL: [&[(&str, &str)]; 9] = [
    AuthViolation::FAULTS,
    ClientViolation::FAULTS,
    ControlViolation::FAULTS,
    ExpectationViolation::FAULTS,
    HeaderViolation::FAULTS,
    LeakViolation::FAULTS,
    PayloadViolation::FAULTS,
    RouteViolation::FAULTS,
    StreamViolation::FAULTS,
];

/// The details that a phrase may contain: they are the same in all cases of one fault.
const DETAILS: [&str; 15] = [
    "pointer", "at", "part", "header", "setting", "member", "what", "coding", "client", "reason",
    "when", "which", "how", "fault", "odd",
];

#[test]
fn each_kind_has_a_phrase_that_leaves_out_what_varies() {
    for (variant, fault) in ALL.concat() {
        let details = fault.split('{').skip(1).map(|it| it.split('}').next().unwrap_or_default());
        let unknown: Vec<_> = details.filter(|it| !DETAILS.contains(it)).collect();
        assert_eq!(unknown, [""; 0], "{variant}: {fault}");
        assert_eq!(why_unfit(fault), None, "{variant}: {fault}");
    }
}

/// Why this is not a short verb phrase without numbers, if it is not.
fn why_unfit(fault: &str) -> Option<&'static str> {
    const MAX_CHARS: usize = 72;
    let first = fault.split(' ').next().unwrap_or_default();
    // A phrase may also start with a detail.
    let is_verb = first.ends_with('s') || ["never", "cannot"].contains(&first);
    if !(is_verb || first.starts_with('{')) {
        return Some("starts without a verb in the third person");
    }
    if fault.bytes().any(|it| it.is_ascii_digit()) || fault.contains("attempt ") {
        return Some("has a number");
    }
    (fault.chars().count() > MAX_CHARS).then_some("is too long")
}

/// Asserts the phrases of these kinds for this pointer.
fn assert_faults<const N: usize>(pointer: Option<&str>, wanted: [(ViolationKind, &str); N]) {
    for (kind, wanted) in wanted {
        let fault = kind.fault(pointer);
        assert_eq!(fault, wanted);
        assert_eq!(why_unfit(&fault), None, "{fault}");
    }
}

#[test]
fn a_phrase_names_the_place() {
    use PayloadViolation::{Added, Changed, ChangedSince, Lost, NotValid};
    let lost = || Lost { value: "1".to_owned() }.into();
    let changed = || Changed { from: "1".to_owned(), to: "2".to_owned() }.into();
    let invalid = || NotValid { provider: "OpenAI".to_owned(), message: "no".to_owned() }.into();
    let answer = || ClientViolation::Changed { answered: "backup".to_owned() }.into();
    assert_faults(
        Some("/messages/*/content"),
        [
            (lost(), "loses `/messages/*/content`"),
            (changed(), "changes `/messages/*/content`"),
            (Added { value: "1".to_owned() }.into(), "adds `/messages/*/content`"),
            (ChangedSince { first: 1 }.into(), "changes `/messages/*/content` between attempts"),
            (invalid(), "sends a body that is invalid at `/messages/*/content` for the provider"),
            (answer(), "loses or changes `/messages/*/content` of the answer"),
        ],
    );
    assert_faults(
        None,
        [
            (lost(), "loses a member of the body"),
            (invalid(), "sends a body that is invalid for the provider"),
            (answer(), "loses or changes a member of the answer"),
        ],
    );
    assert_faults(
        Some(""),
        [
            (changed(), "changes the body"),
            (invalid(), "sends a body that is invalid for the provider"),
        ],
    );
}

#[test]
fn a_phrase_tells_how_a_stream_was_altered() {
    let altered = |how| StreamViolation::Altered {
        event: 3,
        large: Some(5000),
        how,
        data: r#"{"id":"1"}"#.to_owned(),
    };
    let at = || "/choices/12/delta/role".to_owned();
    let renamed = Alteration::Renamed { from: "one".to_owned(), to: "two".to_owned() };
    let name_lost = Alteration::NameLost("one".to_owned());
    let name_added = Alteration::NameAdded("two".to_owned());
    let again = |how| StreamViolation::StartsAgain { event: 4, how }.into();
    let metadata = |part: &str| StreamViolation::MetadataChanged {
        event: 2,
        part: part.to_owned(),
        data: "{}".to_owned(),
    };
    assert_faults(
        None,
        [
            (altered(Alteration::Lost).into(), "loses events of a stream"),
            (altered(Alteration::LostOrChanged).into(), "loses or changes events of a stream"),
            (
                altered(Alteration::LostOrChangedAt(at())).into(),
                "loses stream events, or changes them at `/choices/*/delta/role`",
            ),
            (
                altered(Alteration::Changed(at())).into(),
                "changes stream events at `/choices/*/delta/role`",
            ),
            (altered(Alteration::Changed(String::new())).into(), "changes stream events"),
            (altered(renamed).into(), "renames stream events"),
            (altered(name_lost).into(), "loses the names of stream events"),
            (altered(name_added).into(), "adds names to stream events"),
            (altered(Alteration::Twice).into(), "repeats events of a stream"),
            (altered(Alteration::Late).into(), "reorders events of a stream"),
            (altered(Alteration::NeverSent).into(), "adds events to a stream"),
            (metadata("/id").into(), "changes the metadata of stream events at `/id`"),
            (again(Restart::Created), "sends `response.created` again in a stream"),
            (
                again(Restart::Number { from: 7, to: 0 }),
                "starts the numbers of stream events again",
            ),
            (
                again(Restart::Id { from: "1".to_owned(), to: "2".to_owned() }),
                "changes the id within a stream",
            ),
        ],
    );
}

#[test]
fn a_phrase_keeps_the_details_that_tell_faults_apart() {
    use ExpectationViolation::{Attempts, ErrorMember, Interrupted};
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let attempts = |expected: &[&str], seen: &[&str]| {
        Attempts { expected: names(expected), seen: names(seen) }.into()
    };
    let by_body = |how| ControlViolation::SteeredByBody { member: "fallbacks".to_owned(), how };
    let by_header = |how| ControlViolation::SteeredByHeader { header: "X-Retries".to_owned(), how };
    let passed_over =
        ChainDeviation::PassedOver { to: "backup1".to_owned(), before: "primary1".to_owned() };
    let in_cooldown = |why| RouteViolation::InCooldown { why, duration_ms: 900 }.into();
    let no_key = UnauthorizedClient::NoKey;
    let trace = LeakViolation::InternalsInHeader {
        header: "x-error".to_owned(),
        what: "a Go stack trace".to_owned(),
        text: "goroutine 1 [running]".to_owned(),
    };
    let member = ErrorMember { member: "code", expected: "1".to_owned(), got: "2".to_owned() };
    let not_packed = CodingMisfit::NotPacked { coding: "gzip" };
    assert_faults(
        None,
        [
            (attempts(&["a", "b1"], &["a"]), "makes fewer attempts than expected"),
            (attempts(&["a"], &["a", "b1"]), "makes more attempts than expected"),
            (attempts(&["a"], &["b1"]), "makes other attempts than expected"),
            (
                RouteViolation::NoFallback { failed: Failed::With(503), next: "b1".to_owned() }
                    .into(),
                "does not fall back after a failed attempt",
            ),
            (
                in_cooldown(CooldownReason::RetryAfter),
                "tries a deployment during the wait that it asked for",
            ),
            (
                in_cooldown(CooldownReason::RepeatedFailures),
                "tries a deployment during its cooldown after repeated failures",
            ),
            (
                by_body(ChainDeviation::NoAttempt).into(),
                "succeeds without trying the chain if the body has `fallbacks`",
            ),
            (by_body(passed_over).into(), "passes over a deployment if the body has `fallbacks`"),
            (
                by_header(ChainDeviation::NotTried("b1".to_owned())).into(),
                "does not fall back if the client sends the header `x-retries`",
            ),
            (
                HeaderViolation::Forwarded { header: "cookie".to_owned() }.into(),
                "forwards the client's header `cookie`",
            ),
            (
                AuthViolation::AttemptFor { client: no_key }.into(),
                "makes attempts for a client without a gateway key",
            ),
            (
                PayloadViolation::Unreadable { reason: Unreadable::NotJson }.into(),
                "sends a body that is not JSON",
            ),
            (trace.into(), "shows a Go stack trace in the response header `x-error`"),
            (member.into(), "does not send the expected `error.code`"),
            (
                ClientViolation::Miscoded { how: not_packed }.into(),
                "labels a response as gzip that is not in gzip",
            ),
            (
                ClientViolation::AttemptMiscoded {
                    how: CodingMisfit::Unlabeled { coding: "gzip" },
                }
                .into(),
                "sends a gzip request without `content-encoding`",
            ),
            (
                ClientViolation::Unanswered { ending: Ending::Closed }.into(),
                "closes the connection before the response is complete",
            ),
            (
                Interrupted { ending: Ending::Unreachable("os error 111".to_owned()) }.into(),
                "cannot be reached",
            ),
            (
                Interrupted { ending: Ending::NotHttp("line 1".to_owned()) }.into(),
                "sends a response that is not HTTP",
            ),
        ],
    );
}
