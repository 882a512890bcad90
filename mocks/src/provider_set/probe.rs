//! Probes: health checks, model listings, and retrieval of stored responses. A probe never uses up
//! a behavior of the script.

use fallproof_strict::{Violation, ViolationKind};
use serde_json::{Value, json};

use super::stored::Stored;
use super::{Answer, MockDeployment, ReplyPlan, Request, edge};
use crate::Reply;
use crate::behavior::WireFault;
use crate::errors::{self, EdgeRefusal};
use crate::provider::{Endpoint, Names, Surface};
use crate::reply::{FIRST_CREATED, pretty};
use crate::request_log::RequestKind;

const HEALTH: [&str; 8] =
    ["", "/v1", "/openai", "/openai/v1", "/health", "/healthz", "/ping", "/v1/health"];

/// What a probe asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look<'a> {
    Health,
    Models,
    Model(&'a str),
    /// Azure's list of deployments, which only older api-versions have.
    Deployments,
    Response(&'a str),
}

/// What a path asks for, and the surface that the path belongs to. `surface` is any surface of the
/// provider that got the request.
pub(super) fn locate(surface: Surface, path: &str) -> Option<(Surface, Look<'_>)> {
    let trimmed = path.trim_end_matches('/');
    if HEALTH.contains(&trimmed) {
        return Some((surface, Look::Health));
    }
    let (surface, path) = edge::entered(surface, trimmed)?;
    let look = match path.split_once('/') {
        None if path == "models" => Look::Models,
        None if path == "deployments" && surface == Surface::AzureLegacy => Look::Deployments,
        Some(("models", name)) => Look::Model(name),
        // `compact` is an endpoint, not an id.
        Some(("responses", id)) if !id.contains('/') && id != "compact" => Look::Response(id),
        _ => return None,
    };
    Some((surface, look))
}

impl MockDeployment {
    /// The answer to a request that is not a POST.
    pub(super) fn probe(&self, request: &Request<'_>, stored: &Stored) -> Answer {
        let target = edge::Target::of(request.target);
        let route = edge::locate(self.deployment.surface, &target.path);
        let probed = locate(self.deployment.surface, &target.path);
        // The layer that creates responses also answers when a response is retrieved.
        let made_by = match probed {
            Some((_, Look::Response(_))) => Some(Endpoint::Responses),
            _ => None,
        };
        let endpoint = route.as_ref().map(|route| route.endpoint).or(made_by);
        let (surface, probed) = match (probed, request.method) {
            (Some((surface, look)), "GET" | "HEAD") => {
                (surface, self.look(surface, look, &target, request, stored))
            }
            (probed, method) => {
                let (method, path) = (method.to_owned(), target.raw_path.to_owned());
                let refusal = if route.is_some() || probed.is_some() {
                    EdgeRefusal::WrongMethod { method, path }
                } else {
                    EdgeRefusal::UnknownPath { method, path }
                };
                let surface = route.as_ref().map_or(self.deployment.surface, |it| it.surface);
                (surface, Err(Refused::Edge(refusal)))
            }
        };
        let refused = probed.is_err();
        let reply = probed.unwrap_or_else(|refused| match refused {
            Refused::Edge(refusal) => errors::edge(surface, endpoint, &refusal),
            Refused::NoResponse(id) => no_response(surface, &id),
        });
        let plan = ReplyPlan {
            kind: RequestKind::Probe,
            attempt: 0,
            route: route.map(|route| (route.surface, route.endpoint)),
            behavior: "probe".to_owned(),
            refused,
            violation: None,
            wire: WireFault::default(),
        };
        Answer { plan, reply }
    }

    fn look(
        &self,
        surface: Surface,
        look: Look<'_>,
        target: &edge::Target<'_>,
        request: &Request<'_>,
        stored: &Stored,
    ) -> Result<Reply, Refused> {
        if look == Look::Health {
            return Ok(reply("text/plain; charset=utf-8", b"OK\n".to_vec()));
        }
        let has_responses = matches!(look, Look::Response(_));
        edge::api_version(surface, has_responses, target).map_err(Refused::Edge)?;
        edge::credential(surface, &self.deployment, request).map_err(Refused::Edge)?;
        let body = match look {
            Look::Response(id) => {
                let body = stored.get(id).ok_or_else(|| Refused::NoResponse(id.to_owned()))?;
                return Ok(found(surface, body.to_vec()));
            }
            Look::Model(name) if self.runs(name).is_none() => {
                return Err(Refused::Edge(EdgeRefusal::UnlistedModel { name: name.to_owned() }));
            }
            Look::Model(name) => pretty(&model(surface, name), "\n"),
            Look::Deployments => {
                let names = self.listed();
                list(names.iter().map(|name| self.deployed(name)))
            }
            Look::Models | Look::Health => {
                list(self.listed().iter().map(|name| model(surface, name)))
            }
        };
        Ok(found(surface, body.into_bytes()))
    }

    fn listed(&self) -> Vec<&str> {
        let mut names = vec![self.deployment.name.as_str()];
        if let Names::Listed(others) = &self.names {
            names.extend(
                others.iter().filter(|it| **it != self.deployment.name).map(String::as_str),
            );
        }
        names
    }

    fn deployed(&self, name: &str) -> Value {
        json!({
            "scale_settings": { "scale_type": "standard" },
            "model": self.runs(name).map(|deployment| deployment.model.clone()),
            "owner": "organization-owner",
            "id": name,
            "status": "succeeded",
            "created_at": FIRST_CREATED,
            "updated_at": FIRST_CREATED,
            "object": "deployment"
        })
    }
}

enum Refused {
    Edge(EdgeRefusal),
    NoResponse(String),
}

/// A list of these objects as JSON. Unlike the JSON of a single model, it does not end with a line
/// break.
fn list(data: impl Iterator<Item = Value>) -> String {
    pretty(&json!({ "object": "list", "data": data.collect::<Vec<_>>() }), "")
}

/// A model as the surface describes it. Azure's legacy surface returns [more
/// details](https://learn.microsoft.com/rest/api/azureopenai/models/get).
fn model(surface: Surface, name: &str) -> Value {
    match surface {
        Surface::OpenAi | Surface::AzureV1 => json!({
            "id": name,
            "object": "model",
            "created": FIRST_CREATED,
            "owned_by": "system"
        }),
        Surface::AzureLegacy => json!({
            "status": "succeeded",
            "capabilities": {
                "fine_tune": false,
                "inference": true,
                "completion": true,
                "chat_completion": true,
                "embeddings": true
            },
            "lifecycle_status": "generally-available",
            "deprecation": { "inference": FIRST_CREATED + 365 * 86_400 },
            "id": name,
            "created_at": FIRST_CREATED,
            "object": "model"
        }),
    }
}

fn no_response(surface: Surface, id: &str) -> Reply {
    let message = format!("Response with id '{id}' not found.");
    let violation = Violation::observed(ViolationKind::UnknownResponse, message);
    Reply { status: 404, ..errors::refusal(surface, Endpoint::Responses, &violation) }
}

/// A successful reply. On `OpenAI`, it has the headers that were recorded.
fn found(surface: Surface, body: Vec<u8>) -> Reply {
    let mut found = reply("application/json", body);
    if surface == Surface::OpenAi {
        let own = [
            ("openai-version", "2020-10-01"),
            ("openai-processing-ms", "40"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
            ("x-content-type-options", "nosniff"),
        ];
        found.headers.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    found
}

fn reply(content_type: &str, body: Vec<u8>) -> Reply {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    Reply { status: 200, headers, body }
}
