//! All checks of a request before the script is played, in the provider's order.

use std::borrow::Cow;

use fallproof_protocol::limits::{MOST_BODY_BYTES, MOST_JSON_VALUES, has_too_many_values};
use fallproof_strict::{self as strict, Strength, Violation, ViolationKind};
use parking_lot::Mutex;
use serde_json::Value;

use super::stored::Stored;
use fallproof_protocol::multipart;

use super::{MockDeployment, Request, edge, probe};
use crate::Reply;
use crate::errors::{self, EdgeRefusal};
use crate::provider::{Deployment, Endpoint, Surface};
use crate::reply::Members;

/// A request that the provider accepts.
pub(super) struct AcceptedRequest<'a> {
    pub(super) endpoint: Endpoint,
    /// The deployment that answers.
    pub(super) deployment: Cow<'a, Deployment>,
    pub(super) members: Members<'a>,
    /// A violation of a rule that is only documented, if any.
    pub(super) warning: Option<Violation>,
}

/// Why a request does not reach the script.
pub(super) enum Refusal {
    Edge(EdgeRefusal),
    Parameter(Box<Violation>),
    TooLarge,
}

impl Refusal {
    pub(super) fn reply(&self, surface: Surface, endpoint: Option<Endpoint>) -> Reply {
        match self {
            Self::Edge(refusal) => errors::edge(surface, endpoint, refusal),
            Self::Parameter(violation) => {
                errors::refusal(surface, endpoint.unwrap_or(Endpoint::Responses), violation)
            }
            Self::TooLarge => Reply::own_refusal(
                413,
                "fallproof_body_too_large",
                &format!(
                    "Fallproof's mocks accept request bodies of at most {MOST_BODY_BYTES} bytes and \
                     {MOST_JSON_VALUES} JSON values."
                ),
            ),
        }
    }

    pub(super) fn violation(self) -> Option<Violation> {
        match self {
            Self::Parameter(violation) => Some(*violation),
            Self::Edge(_) | Self::TooLarge => None,
        }
    }
}

impl MockDeployment {
    pub(super) fn examine<'a>(
        &'a self,
        route: Option<edge::Route<'_>>,
        target: &edge::Target<'_>,
        request: &Request<'a>,
        stored: &Mutex<Stored>,
    ) -> Result<AcceptedRequest<'a>, Refusal> {
        if request.body.len() > MOST_BODY_BYTES {
            return Err(Refusal::TooLarge);
        }
        let Some(route) = route else {
            let (method, path) = (request.method.to_owned(), target.raw_path.to_owned());
            let probed = probe::locate(self.deployment.surface, &target.path);
            return Err(Refusal::Edge(match probed {
                Some((_, look)) if look != probe::Look::Health => {
                    EdgeRefusal::WrongMethod { method, path }
                }
                _ => EdgeRefusal::UnknownPath { method, path },
            }));
        };
        let edge::Route { surface, endpoint, deployment: named } = route;
        edge::api_version(surface, route.has_responses(), target).map_err(Refusal::Edge)?;
        edge::credential(surface, &self.deployment, request).map_err(Refusal::Edge)?;
        if !endpoint.is_multipart() && has_too_many_values(request.body) {
            return Err(Refusal::TooLarge);
        }
        let body = Body::read(endpoint, request)?;
        let named = named.map(str::to_owned).or_else(|| body.members.get("model"));
        let deployment = match named {
            Some(name) => {
                self.runs(&name).ok_or(Refusal::Edge(EdgeRefusal::UnknownModel { name }))?
            }
            None => Cow::Borrowed(&self.deployment),
        };
        let too_old_for = |dated: &edge::Dated| {
            body.has(dated.member) && dated.is_ahead_of(&route, target, &deployment.model)
        };
        if too_old_for(&edge::PREDICTION) {
            return Err(Refusal::Edge(EdgeRefusal::PredictionTooOld));
        }
        if too_old_for(&edge::MAX_COMPLETION_TOKENS) {
            return Err(Refusal::Parameter(Box::new(unrecognized(&edge::MAX_COMPLETION_TOKENS))));
        }
        let warning = match body.violation(surface, endpoint, &deployment.model, request) {
            Some(violation) if violation.strength == Strength::Observed => {
                return Err(Refusal::Parameter(Box::new(violation)));
            }
            warning => warning,
        };
        if let Some(id) = body.members.get::<String>("previous_response_id")
            && matches!(endpoint, Endpoint::Responses | Endpoint::ResponsesCompact)
            && !stored.lock().has(&id)
        {
            return Err(Refusal::Parameter(Box::new(unknown_response(&id))));
        }
        Ok(AcceptedRequest { endpoint, deployment, members: body.members, warning })
    }

    /// The deployment that answers a request for `name`: the mounted deployment, or a copy of it
    /// that runs the model `name`. `None` if the mock does not accept the name.
    pub(super) fn runs(&self, name: &str) -> Option<Cow<'_, Deployment>> {
        if name == self.deployment.name {
            return Some(Cow::Borrowed(&self.deployment));
        }
        self.names.take(name).then(|| {
            Cow::Owned(Deployment {
                model: name.to_owned(),
                name: name.to_owned(),
                ..self.deployment.clone()
            })
        })
    }
}

/// A body that was parsed as JSON or as a form.
struct Body<'a> {
    members: Members<'a>,
    /// The form's fields; `None` if the body is JSON.
    form: Option<Vec<strict::FormField<'a>>>,
}

impl<'a> Body<'a> {
    fn read(endpoint: Endpoint, request: &Request<'a>) -> Result<Self, Refusal> {
        let content_type = request.header("content-type").unwrap_or_default();
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_form = kind == "multipart/form-data";
        if is_form != endpoint.is_multipart() && !kind.is_empty() {
            return Err(Refusal::Parameter(Box::new(unsupported_type(endpoint, &kind))));
        }
        if !endpoint.is_multipart() {
            let members =
                Members::of(request.body).map_err(|_| Refusal::Edge(EdgeRefusal::InvalidJson))?;
            return Ok(Self { members, form: None });
        }
        let Some(fields) = multipart::read(&content_type, request.body) else {
            return Err(Refusal::Parameter(Box::new(no_form())));
        };
        Ok(Self { members: Members::of_form(&fields), form: Some(fields) })
    }

    fn has(&self, member: &str) -> bool {
        self.members.get::<Value>(member).is_some_and(|value| !value.is_null())
    }

    fn violation(
        &self,
        surface: Surface,
        endpoint: Endpoint,
        model: &str,
        request: &Request<'_>,
    ) -> Option<Violation> {
        match &self.form {
            Some(fields) => strict::check_form(surface, endpoint, model, fields),
            None => strict::check(surface, endpoint, model, request.body),
        }
    }
}

/// The violation for a body with the wrong content type. Only the message of an endpoint that
/// expects JSON was [reported].
///
/// [reported]: https://github.com/openai/openai-openapi/issues/502
fn unsupported_type(endpoint: Endpoint, given: &str) -> Violation {
    let taken = if endpoint.is_multipart() { "multipart/form-data" } else { "application/json" };
    let message = format!(
        "Unsupported content type: '{given}'. This API method only accepts '{taken}' requests, but \
         you specified the header 'Content-Type: {given}'. Please try again with a supported \
         content type."
    );
    Violation {
        code: Some("unsupported_content_type".to_owned()),
        ..Violation::observed(ViolationKind::ContentType, message)
    }
}

/// The violation for an unknown member, with the message of the legacy back ends.
fn unrecognized(dated: &edge::Dated) -> Violation {
    let message = format!("Unrecognized request argument supplied: {}", dated.member);
    Violation {
        pointer: format!("/{}", dated.member),
        ..Violation::observed(ViolationKind::Unknown, message)
    }
}

/// The violation for a body that is not a valid form. The message is from
/// <https://github.com/spring-projects/spring-ai/issues/1050>.
fn no_form() -> Violation {
    Violation::observed(ViolationKind::InvalidForm, "Could not parse multipart form".to_owned())
}

/// The violation for an unknown `previous_response_id`. Message, parameter and code are from
/// <https://github.com/maximhq/bifrost/issues/2441> and
/// <https://github.com/bigduu/Bamboo-agent/pull/513>. Both sources are about `/responses`; the
/// error from `/responses/compact` is unknown.
fn unknown_response(id: &str) -> Violation {
    let message = format!("Previous response with id '{id}' not found.");
    Violation {
        param: Some("previous_response_id".to_owned()),
        code: Some("previous_response_not_found".to_owned()),
        pointer: "/previous_response_id".to_owned(),
        ..Violation::observed(ViolationKind::UnknownResponse, message)
    }
}
