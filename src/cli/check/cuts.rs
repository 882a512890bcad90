//! Notes on cuts in the scripts of a scenario that cut nothing.

use std::collections::BTreeMap;
use std::fmt;

use fallproof_mocks::Reply;
use fallproof_mocks::behavior::{Behavior, CutPoint, WireFault};
use fallproof_mocks::provider::Surface;
use fallproof_mocks::provider_set::{MockProviders, Request};
use fallproof_protocol::sse::event_length;
use fallproof_runner::mock_deployment;
use fallproof_suite::plan::{Addresses, Deployment, Plan};
use fallproof_suite::scenario::{Call, Rendered, Scenario};

use crate::cli::DEFAULT_MOCKS;

/// A cut that cuts nothing, whichever call of the scenario gets the reply.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Note {
    /// Name of the deployment.
    deployment: String,
    /// Number of the behavior in its script, from 1.
    behavior: usize,
    why: Why,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    NoStream { events: usize },
    FewEvents { events: usize, most: usize },
    FewBytes { bytes: usize, most: usize },
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deployment, behavior, why } = self;
        write!(formatter, "behavior {behavior} of `{deployment}` cuts nothing: ")?;
        match why {
            Why::NoStream { events } => {
                write!(formatter, "`events: {events}` is for streams, and no reply is one")
            }
            Why::FewEvents { events, most } => {
                write!(formatter, "`events: {events}`, but the reply has only {most} events")
            }
            Why::FewBytes { bytes, most } => {
                write!(formatter, "`body_bytes: {bytes}`, but the reply has only {most} bytes")
            }
        }
    }
}

/// The notes on these cases, each with the ids of its cases.
pub(super) fn notes(cases: &[Scenario]) -> BTreeMap<Note, Vec<&str>> {
    let mut notes = BTreeMap::<_, Vec<_>>::new();
    for case in cases {
        for note in of_case(case) {
            notes.entry(note).or_default().push(case.id.as_str());
        }
    }
    notes
}

fn of_case(case: &Scenario) -> Vec<Note> {
    let plan = Plan::new([case], &Addresses::stable(DEFAULT_MOCKS));
    let mut notes = Vec::new();
    for (name, described) in &case.deployments {
        for (index, behavior) in described.script.iter().enumerate() {
            let Some(cut) = &behavior.wire.cut else { continue };
            let replies = case.calls().filter_map(|planned| {
                let group = plan.groups.iter().find(|it| it.name == planned.send.group)?;
                reply(group.deployment(name)?, behavior, &planned.send)
            });
            if let Some(why) = cuts_nothing(&cut.at, &replies.collect::<Vec<_>>()) {
                notes.push(Note { deployment: name.clone(), behavior: index + 1, why });
            }
        }
    }
    notes
}

/// Why this cut cuts none of the replies. `None` also if there are no replies.
fn cuts_nothing(at: &CutPoint, replies: &[Reply]) -> Option<Why> {
    match *at {
        CutPoint::Events(events) => {
            let streams = replies.iter().filter(|reply| is_stream(reply));
            match streams.map(|reply| count(&reply.body)).max() {
                None => (!replies.is_empty()).then_some(Why::NoStream { events }),
                Some(most) => (events > most).then_some(Why::FewEvents { events, most }),
            }
        }
        CutPoint::BodyBytes(bytes) => {
            let most = replies.iter().map(|reply| reply.body.len()).max()?;
            (bytes > most).then_some(Why::FewBytes { bytes, most })
        }
        CutPoint::BeforeHead | CutPoint::AfterHead => None,
    }
}

/// What a deployment with this behavior replies to the call; `None` if it refuses the call.
fn reply(deployment: &Deployment, behavior: &Behavior, call: &Call) -> Option<Reply> {
    let providers = MockProviders::default();
    let script = vec![Behavior { count: 1, wire: WireFault::default(), ..behavior.clone() }];
    let mock = mock_deployment(deployment, script, false);
    providers.mount(mock).ok()?;
    let Rendered { content_type, bytes } = call.body.rendered(&deployment.deployment_name, "call");
    let authorization = format!("Bearer {}", deployment.key);
    let credential = match deployment.surface() {
        Surface::OpenAi => ("authorization", authorization.as_bytes()),
        Surface::AzureV1 | Surface::AzureLegacy => ("api-key", deployment.key.as_bytes()),
    };
    let headers = [credential, ("content-type", content_type.as_bytes())];
    let target = target(deployment, call);
    let request = Request { method: "POST", target: &target, headers: &headers, body: &bytes };
    let answer = providers.answer(&deployment.prefix, &request)?;
    (!answer.plan.refused).then_some(answer.reply)
}

/// Path and query of the call, below the deployment's prefix.
fn target(deployment: &Deployment, call: &Call) -> String {
    let path = call.endpoint.path();
    if let Some(version) = &deployment.api_version {
        let name = &deployment.deployment_name;
        return format!("/openai/deployments/{name}/{path}?api-version={version}");
    }
    let base = deployment.base_url.strip_prefix(&deployment.host).unwrap_or_default();
    format!("{base}/{path}")
}

fn is_stream(reply: &Reply) -> bool {
    reply.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.starts_with("text/event-stream")
    })
}

/// The number of events in a stream.
fn count(mut stream: &[u8]) -> usize {
    let mut events = 0;
    while !stream.is_empty() {
        stream = &stream[event_length(stream)..];
        events += 1;
    }
    events
}

#[cfg(test)]
mod tests {
    use fallproof_suite::scenario;

    use super::*;

    fn notes_on(body: &str, script: &str) -> Vec<String> {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let file = folder.path().join("case.yaml");
        let text = format!(
            "title: A cut\nproves: [FP-ROUTE-03]\ndeployments:\n  \
             primary: {{ provider: openai, model: gpt-4o, script: [{script}] }}\n  \
             backup: {{ provider: azure, surface: legacy, model: gpt-4o, script: [ok, {script}] }}\n\
             group: {{ chain: [primary, backup] }}\nsteps:\n  \
             - send: {{ endpoint: chat/completions, body: {{ messages: [{{ role: user, content: Hi }}]{body} }} }}\n"
        );
        std::fs::write(&file, text).expect("a file in a temporary folder");
        let cases = scenario::load(&file, "case").expect("a valid scenario");
        notes(&cases).keys().map(ToString::to_string).collect()
    }

    #[test]
    fn a_cut_of_events_is_for_streams() {
        let cut = "{ wire: { cut: { at: { events: 3 }, end: reset } } }";
        let wanted = |number: usize, name: &str| {
            format!(
                "behavior {number} of `{name}` cuts nothing: `events: 3` is for streams, and no reply is one"
            )
        };
        assert_eq!(notes_on("", cut), [wanted(2, "backup"), wanted(1, "primary")]);
        assert_eq!(notes_on(", stream: true", cut), [""; 0]);
    }

    #[test]
    fn a_cut_lies_within_the_reply() {
        let cut = "{ wire: { cut: { at: { events: 90 }, end: close } } }";
        let found = notes_on(", stream: true", cut);
        assert_eq!(found.len(), 2);
        assert!(
            found[1].starts_with(
                "behavior 1 of `primary` cuts nothing: `events: 90`, but the reply has only "
            ),
            "{found:?}"
        );
        let bytes = |at: usize| {
            notes_on(
                "",
                &format!(
                    "{{ body: '{{}}', wire: {{ cut: {{ at: {{ body_bytes: {at} }}, end: close }} }} }}"
                ),
            )
        };
        assert_eq!(bytes(2), [""; 0]);
        assert_eq!(
            bytes(3)[1],
            "behavior 1 of `primary` cuts nothing: `body_bytes: 3`, but the reply has only 2 bytes"
        );
    }
}
