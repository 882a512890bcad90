//! Scenarios and evidence for tests.

use std::path::Path;
use std::time::Duration;

use fallproof_protocol::request_log::{RecordedRequest, Traffic};
use fallproof_suite::evidence::{CallEvidence, Ending, Exchange};
use fallproof_suite::scenario::{Scenario, Suite};

/// Returns a scenario of the suite.
pub(crate) fn scenario(id: &str) -> Scenario {
    let suite = Suite::embedded_chosen(Path::new(""), &[id.to_owned()]);
    let suite = suite.expect("the suite is valid").expect("it is there");
    suite.scenarios[0].clone()
}

/// Returns scenarios with these ids and one plain call each.
pub(crate) fn scenarios<I: ToString>(ids: impl IntoIterator<Item = I>) -> Vec<Scenario> {
    let plain = scenario("auth/refused-key-is-not-shown");
    ids.into_iter().map(|id| Scenario { id: id.to_string(), ..plain.clone() }).collect()
}

/// A call for this group, with its position and otherwise empty evidence.
pub(crate) fn call(group: &str, position: usize, call: usize) -> CallEvidence {
    let exchange = Exchange {
        path: String::new(),
        sent_head: Vec::new(),
        sent: Vec::new(),
        status: None,
        headers: Vec::new(),
        body: Vec::new(),
        received: Traffic::default(),
        ending: Ending::Complete,
        started: Duration::ZERO,
        took: Duration::ZERO,
    };
    let (requests, misdirected, at) = (Vec::new(), Vec::new(), Duration::ZERO);
    let (group, stale) = (group.to_owned(), Vec::new());
    CallEvidence { position, call, group, at, exchange, requests, misdirected, stale }
}

/// An attempt with this prefix and body, and otherwise default values.
pub(crate) fn attempt(prefix: &str, body: &str) -> RecordedRequest {
    RecordedRequest {
        prefix: Some(prefix.to_owned()),
        attempt: 1,
        method: "POST".to_owned(),
        body: body.as_bytes().to_vec(),
        behavior: "ok".to_owned(),
        ..RecordedRequest::default()
    }
}
