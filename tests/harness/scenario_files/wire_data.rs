//! What the scripts of conformance scenarios send: only what providers were seen to send.

use fallproof_suite::scenario::{Level, Scenario, Suite};

/// Problems of the headers in the scripts of this scenario.
fn made_up(scenario: &Scenario) -> Vec<String> {
    let mut found = Vec::new();
    for (name, deployment) in &scenario.deployments {
        for (header, value) in deployment.script.iter().flat_map(|it| &it.headers) {
            let at = format!("{}: `{name}` sends `{header}: {value}`", scenario.id);
            if value.trim().is_empty() {
                found.push(format!("{at}, but no provider sends an empty header"));
            }
            // A gateway may measure a wait against its own clock (RFC 9110), so a date of the past
            // shows nothing.
            if header.eq_ignore_ascii_case("date") {
                found.push(format!("{at}, but the clock of a provider does not stand still"));
            }
        }
        for behavior in &deployment.script {
            let header = |name: &str| behavior.headers.get(name).map(String::as_str);
            if let (Some(ms), Some(seconds)) = (header("retry-after-ms"), header("retry-after"))
                && let (Ok(ms), Ok(seconds)) = (ms.parse::<f64>(), seconds.parse::<f64>())
                && (ms / 1000.0).ceil() > seconds.max(1.0)
            {
                let id = &scenario.id;
                found.push(format!("{id}: `{name}` asks for {seconds} s and for {ms} ms"));
            }
        }
    }
    found
}

#[test]
fn conformance_rests_on_what_providers_send() {
    let suite = Suite::load(std::path::Path::new("scenarios")).expect("the suite is valid");
    let scenarios = suite.scenarios.iter().filter(|it| it.level == Level::Conformance);
    let found: Vec<_> = scenarios.flat_map(made_up).collect();
    assert_eq!(found, [""; 0]);
}
