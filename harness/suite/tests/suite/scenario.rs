//! Scenario files: random bytes, and files of the suite that were damaged.

use crate::checks::scenario::check;
use crate::mutation::{each, inputs};

/// Texts of scenario files.
const PIECES: &[&str] = &[
    "title: A\n",
    "proves: [FP-ROUTE-01]\n",
    "deployments:\n",
    "  primary: { provider: openai, model: gpt-5, script: [server_error] }\n",
    "group: { chain: [primary] }\n",
    "steps:\n",
    "  - send: { endpoint: responses, body: { input: \"Hello\" } }\n",
    "matrix:\n  a: [x, { y: { z: 1 } }]\n",
    "extends: a.y\n",
    "\"{a}\"",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!binary a",
    "? ",
    "|\n  ",
    ">-\n",
    "\t",
    "\r\n",
    "\u{1b}[2J",
    "é",
    "--- ",
    "%YAML 1.2\n",
];

/// Scenario files with all kinds of steps and with a matrix.
fn scenarios() -> Vec<Vec<u8>> {
    let ids = [
        "auth/nobody-without-a-key",
        "headers/settings-of-each-deployment",
        "recovery/on-and-off",
        "responses-compact/every-parameter",
        "speech/in-pieces",
        "streaming/breaks-after-content",
        "transcriptions/every-field",
    ];
    let file = |id| fallproof_scenarios::FOLDER.get_file(format!("{id}.yaml")).expect(id);
    ids.map(|id| file(id).contents().to_vec()).to_vec()
}

#[test]
fn what_holds_for_scenarios_holds_for_any_file() {
    each(250, &inputs(scenarios(), PIECES), |bytes| check(&bytes));
}
