//! One request of a client, as the deployments are asked it.

use axum::http::HeaderMap;

use crate::endpoint::Endpoint;
use crate::splice::ClientBody;

/// What a client asks for, as far as it concerns the providers.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    /// Those that go to the provider.
    pub(crate) headers: HeaderMap,
    pub(crate) body: ClientBody,
}

impl Call {
    /// The response that the call goes on from.
    pub(crate) fn previous_response_id(&self) -> Option<&str> {
        let id = self.body.hints.previous_response_id.as_deref();
        id.filter(|_| self.endpoint.is_stateful())
    }
}
