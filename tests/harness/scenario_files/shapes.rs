//! Values of a wrong type.

use super::support::assert_refused;

#[test]
fn a_wrong_value_is_reported_at_its_position() {
    for (written, words) in [
        ("«write: bytes", ["expected `events` or `{ bytes: 7 }`", "found \"bytes\""]),
        ("«write: 5", ["expected `events` or `{ bytes: 7 }`", "found `5`"]),
        ("«write: [bytes, 5]", ["expected `events` or `{ bytes: 7 }`", "found a list"]),
        ("«head: content_length_off_by", ["`garbage` or `{ content_length_off_by: 5 }`", "found"]),
        ("cut: { end: close, «at: events }", ["`after_head`, `{ body_bytes: 20 }`", "\"events\""]),
        ("cut: { end: close, «at: 3 }", ["`after_head`, `{ body_bytes: 20 }`", "found `3`"]),
    ] {
        assert_refused("[ok]", &format!("[{{ wire: {{ {written} }} }}]"), &words);
    }
}

#[test]
fn a_key_has_a_single_value() {
    for (written, words) in [
        ("write: { bytes: 5, «events: 1 }", "found more than one key"),
        ("cut: { end: close, at: { events: 2, «body_bytes: 3 } }", "found more than one key"),
        ("write: { «bytes: 0 }", "expected a whole number of at least 1, found `0`"),
        ("head: { «content_length_off_by: 0 }", "expected a whole number other than 0"),
        ("head: { content_length_off_by: «x }", "expected a whole number from -2147483648"),
        ("write: { events: «3 }", "this key takes no value"),
        ("write: { «byte: 3 }", "did you mean `bytes`?"),
    ] {
        assert_refused("[ok]", &format!("[{{ wire: {{ {written} }} }}]"), &[words]);
    }
}

#[test]
fn a_client_disconnects_in_one_way() {
    let disconnect = |written: &str| format!("disconnect: {written}\n      body:");
    for (written, words) in [
        ("«after_events", "expected a mapping"),
        ("«true", "expected a mapping"),
        ("«[after_events]", "expected a mapping"),
        ("«{}", "`{ after_events: 2 }` or `{ after_request_to: backup }`"),
        ("«{ after_events: 2, after_request_to: backup }", "expected either"),
        ("{ «after_event: 2 }", "did you mean `after_events`?"),
        ("{ after_events: «x }", "expected a whole number"),
    ] {
        assert_refused("body:", &disconnect(written), &[words]);
    }
}

#[test]
fn a_list_is_not_a_single_value() {
    assert_refused("answered_by: backup", "status: «[200, 201]", &["a single value, not a list"]);
}
