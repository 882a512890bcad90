//! Scenarios for tests.

use std::path::Path;

use fallproof_suite::scenario::{Scenario, Suite};

/// Scenarios of one plain call each, with these ids.
pub(crate) fn scenarios<I: ToString>(ids: impl IntoIterator<Item = I>) -> Vec<Scenario> {
    let plain = ["auth/refused-key-is-not-shown".to_owned()];
    let suite = Suite::embedded_chosen(Path::new(""), &plain).expect("the suite is right");
    let plain = &suite.expect("it is there").scenarios[0];
    ids.into_iter().map(|id| Scenario { id: id.to_string(), ..plain.clone() }).collect()
}
