//! Probes: gateways look at their upstreams' health and models unasked. They are answered well and
//! leave the script alone.

use serde_json::{Value, json};

use super::{Answer, Plan, Request, door};
use crate::behaviour::WirePlan;
use crate::errors::{self, DoorRefusal, Reply};
use crate::journal::HitKind;
use crate::provider::Deployment;
use crate::reply::pretty;

const HEALTH: [&str; 8] =
    ["", "/v1", "/openai", "/openai/v1", "/health", "/healthz", "/ping", "/v1/health"];

pub(super) fn answer(deployment: &Deployment, request: &Request<'_>) -> Answer {
    let target = door::Target::of(request.target);
    let place = door::locate(deployment.surface, &target.path);
    let endpoint = place.as_ref().map(|place| place.endpoint);
    let place = place.map(|place| (place.surface, place.endpoint));
    let looked = matches!(request.method, "GET" | "HEAD")
        .then(|| look(deployment, target.path.trim_end_matches('/')))
        .flatten();
    let refused = looked.is_none();
    let reply = looked.unwrap_or_else(|| {
        let (method, path) = (request.method.to_owned(), target.raw_path.to_owned());
        let refusal = if place.is_some() {
            DoorRefusal::WrongMethod { method, path }
        } else {
            DoorRefusal::UnknownPath { method, path }
        };
        errors::door(deployment.surface, endpoint, &refusal)
    });
    let plan = Plan {
        kind: HitKind::Probe,
        attempt: 0,
        place,
        behaviour: "probe".to_owned(),
        refused,
        violation: None,
        wire: WirePlan::default(),
    };
    Answer { plan, reply }
}

fn look(deployment: &Deployment, path: &str) -> Option<Reply> {
    if HEALTH.contains(&path) {
        return Some(reply("text/plain; charset=utf-8", "OK\n".to_owned()));
    }
    let (parent, last) = path.rsplit_once('/')?;
    let json = if last == "models" || last == "deployments" {
        json!({ "object": "list", "data": [model(deployment)] })
    } else if parent.ends_with("/models") && last == deployment.name {
        model(deployment)
    } else {
        return None;
    };
    Some(reply("application/json", pretty(&json, "\n")))
}

fn model(deployment: &Deployment) -> Value {
    json!({
        "id": deployment.name,
        "object": "model",
        "created": 1_767_268_800,
        "owned_by": "system"
    })
}

fn reply(content_type: &str, body: String) -> Reply {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    Reply { status: 200, headers, body: body.into_bytes() }
}
