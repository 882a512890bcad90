//! A client's request, prepared for the attempts.

use axum::http::HeaderMap;

use crate::endpoint::Endpoint;
use crate::splice::ClientBody;

/// The parts of a client's request that attempts need.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    /// The headers to forward.
    pub(crate) headers: HeaderMap,
    pub(crate) body: ClientBody,
}

impl Call {
    /// Id of the response that the call continues.
    pub(crate) fn previous_response_id(&self) -> Option<&str> {
        let id = self.body.hints.previous_response_id.as_deref();
        id.filter(|_| self.endpoint.is_stateful())
    }
}
