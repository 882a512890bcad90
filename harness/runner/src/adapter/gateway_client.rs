//! How clients call a target.

use std::path::PathBuf;
use std::sync::Arc;

use fallproof_protocol::provider::Endpoint;

use super::file::Adapter;
use super::fill::RenderError;
use super::installation::Installation;
use super::render::{Configuration, RequestStyle};
use super::site::Site;
use crate::client::BaseUrl;
use fallproof_suite::plan::{Group, Plan};

/// How clients call the target.
#[derive(Debug, Clone)]
pub struct GatewayClient {
    /// Base URL of the target.
    pub url: BaseUrl,
    /// API key that clients send to the target.
    pub key: String,
    /// The adapter and its rendered configuration, if there is one.
    adapted: Option<(Arc<Adapter>, Configuration)>,
}

impl GatewayClient {
    /// Creates a client of a target that serves the OpenAI API below its URL.
    pub fn plain(url: BaseUrl, key: String) -> Self {
        Self { url, key, adapted: None }
    }

    /// Creates a client of a target that is already running. If there is an adapter, it describes
    /// the API, and the path of the URL is put before the adapter's paths.
    ///
    /// # Errors
    /// A template of the adapter cannot be rendered with the plan.
    pub fn new(
        url: BaseUrl,
        key: String,
        adapter: Option<Arc<Adapter>>,
        plan: &Plan,
    ) -> Result<Self, RenderError> {
        let Some(adapter) = adapter else { return Ok(Self::plain(url, key)) };
        let port = url.authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let site = Site {
            host: url.host().to_owned(),
            port: port.unwrap_or_default(),
            key: key.clone(),
            folder: PathBuf::new(),
            scratch: None,
            earlier_logs: 0,
            installation: Installation { home: PathBuf::new(), program: PathBuf::new() },
        };
        let configuration = adapter.render(plan, &site)?;
        Ok(Self { url, key, adapted: Some((adapter, configuration)) })
    }

    /// Creates a client of a target that was started from its adapter.
    pub fn adapted(
        authority: &str,
        key: String,
        adapter: Arc<Adapter>,
        configuration: Configuration,
    ) -> Self {
        let url = BaseUrl::plain(authority.to_owned(), "");
        Self { url, key, adapted: Some((adapter, configuration)) }
    }

    /// Path of an endpoint below the URL, without a leading slash.
    pub fn path(&self, endpoint: Endpoint) -> String {
        match &self.adapted {
            None => endpoint.path().to_owned(),
            Some((adapter, _)) => adapter.client.path(endpoint).trim_start_matches('/').to_owned(),
        }
    }

    /// Model name and headers of requests for this group.
    pub fn style(&self, group: &Group) -> RequestStyle {
        let adapted = self.adapted.as_ref();
        adapted
            .and_then(|(_, configuration)| configuration.style(&group.model))
            .cloned()
            .unwrap_or_else(|| RequestStyle {
                model: group.model.clone(),
                headers: vec![("authorization".to_owned(), format!("Bearer {}", self.key))],
            })
    }
}
