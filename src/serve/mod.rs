//! The strict mock providers as standalone servers, for use in any tests.

mod admin;
mod hosts;
mod script;
mod view;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use fallproof_mocks::server::{MockDeployment, MockServer};
use fallproof_protocol::behavior::ScriptError;
use fallproof_protocol::marker::Marker;
pub use fallproof_protocol::provider::Names;
use fallproof_protocol::provider::{Deployment, Surface};
use hosts::Hosts;
use script::Script;
pub use script::Scripts;
use serde::Serialize;
use strum::{Display, EnumIter, EnumString, IntoEnumIterator as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// API key of the served `OpenAI` mock.
pub const OPENAI_KEY: &str = "sk-fallproof-openai";
/// API key of the served Azure mock.
pub const AZURE_KEY: &str = "fallproof0azure0fallproof0azure0";
/// The `api-version` for Azure's legacy surface.
const API_VERSION: &str = "2025-04-01-preview";

/// Model that answers a request without a model.
const DEFAULT_MODEL: &str = "gpt-5";

/// How long admin calls may take after the servers were stopped.
const GRACE: Duration = Duration::from_secs(2);

/// Addresses on which the servers listen.
#[derive(Debug, Clone)]
pub struct Ports {
    /// IP address that all servers listen on.
    pub host: IpAddr,
    /// Host that clients are told instead, a name or an IP address. An IPv6 address is in brackets.
    pub advertise: Option<String>,
    /// Port of `OpenAI`. For each port, 0 lets the system choose.
    pub openai: u16,
    /// Port of Azure.
    pub azure: u16,
    /// Port of the admin API.
    pub admin: u16,
}

/// The provider that a deployment mocks.
#[derive(Debug, Clone, Copy, Display, EnumIter, EnumString)]
#[strum(serialize_all = "lowercase")]
enum Played {
    OpenAi,
    Azure,
}

/// Why the servers cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A port is in use.
    #[error("port {0} is in use; choose another one")]
    InUse(u16),
    /// A port is not available.
    #[error("cannot listen on {0}: {1}")]
    Port(SocketAddr, #[source] io::Error),
    /// A script is invalid.
    #[error(transparent)]
    Script(#[from] ScriptError),
}

/// Addresses and keys for clients; `--json` prints them as one line.
#[derive(Debug, Serialize)]
pub struct Addresses {
    openai: OpenAiAddress,
    azure: AzureAddress,
    /// URL of the admin API, which returns the request log and sets scripts.
    pub admin: String,
}

#[derive(Debug, Serialize)]
struct OpenAiAddress {
    base_url: String,
    key: &'static str,
}

#[derive(Debug, Serialize)]
struct AzureAddress {
    endpoint: String,
    base_url: String,
    key: &'static str,
    api_version: &'static str,
}

impl Addresses {
    fn new(openai: &str, azure: &str, admin: &str) -> Self {
        Self {
            openai: OpenAiAddress { base_url: format!("http://{openai}/v1"), key: OPENAI_KEY },
            azure: AzureAddress {
                endpoint: format!("http://{azure}"),
                base_url: format!("http://{azure}/openai/v1"),
                key: AZURE_KEY,
                api_version: API_VERSION,
            },
            admin: format!("http://{admin}"),
        }
    }

    /// The addresses as text.
    pub fn to_text(&self) -> String {
        let Self { openai, azure, admin } = self;
        format!(
            "OpenAI        base URL  {}\n\
             \x20             key       {}\n\
             Azure v1      base URL  {}\n\
             Azure legacy  endpoint  {}  (api-version {})\n\
             \x20             key       {}\n\
             admin         requests  GET {admin}/requests\n\
             \x20             script    PUT {admin}/script/openai, {admin}/script/azure\n\
             \x20             reset     POST {admin}/reset",
            openai.base_url,
            openai.key,
            azure.base_url,
            azure.endpoint,
            azure.api_version,
            azure.key,
        )
    }
}

/// The running servers.
pub struct Serving {
    /// Their addresses and keys.
    pub addresses: Addresses,
    /// Ends the admin API.
    stop: Arc<Notify>,
    admin: JoinHandle<()>,
}

/// The mock server and its configuration, as used by the admin API.
struct Providers {
    wire: MockServer,
    models: Names,
    scripts: Scripts,
}

impl Serving {
    /// Binds the ports, and starts the mock providers and the admin API.
    pub async fn start(ports: Ports, models: Names, scripts: Scripts) -> Result<Self, ServeError> {
        let at = |port| SocketAddr::new(ports.host, port);
        let port = |port| {
            move |error: io::Error| match error.kind() {
                io::ErrorKind::AddrInUse => ServeError::InUse(port),
                _ => ServeError::Port(at(port), error),
            }
        };
        let wire = MockServer::bind(at(0)).await.map_err(port(0))?;
        let openai = wire.listen_for(OPENAI, at(ports.openai)).await.map_err(port(ports.openai))?;
        let azure = wire.listen_for(AZURE, at(ports.azure)).await.map_err(port(ports.azure))?;
        let admin = TcpListener::bind(at(ports.admin)).await.map_err(port(ports.admin))?;
        let admin_addr = admin.local_addr().map_err(port(ports.admin))?;
        let providers = Providers { wire, models, scripts };
        providers.reset()?;
        let told = |address: SocketAddr| match &ports.advertise {
            Some(host) => format!("{host}:{}", address.port()),
            None => address.to_string(),
        };
        let addresses = Addresses::new(&told(openai), &told(azure), &told(admin_addr));
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let hosts = Hosts { advertised: ports.advertise };
        let serve = admin::serve(admin, providers, hosts, async move { stopped.notified().await });
        Ok(Self { addresses, stop, admin: tokio::spawn(serve) })
    }

    /// Stops the servers. Waits a moment for admin calls to end.
    pub async fn stop(self) {
        self.stop.notify_one();
        let _ = timeout(GRACE, self.admin).await;
    }
}

const OPENAI: &str = "/serve/openai";
const AZURE: &str = "/serve/azure";

impl Played {
    fn prefix(self) -> &'static str {
        match self {
            Self::OpenAi => OPENAI,
            Self::Azure => AZURE,
        }
    }
}

impl Providers {
    /// Resets scripts and attempt counts to their initial state.
    fn reset(&self) -> Result<(), ScriptError> {
        let Scripts { openai, azure } = self.scripts.clone();
        self.wire.mount(self.deployment(Played::OpenAi, openai.unwrap_or_default()))?;
        self.wire.mount(self.deployment(Played::Azure, azure.unwrap_or_default()))
    }

    /// Clears the request log.
    async fn forget(&self) {
        for played in Played::iter() {
            self.wire.take(played.prefix()).await;
        }
        self.wire.take_unmatched().await;
    }

    /// Sets the script of a provider. The script starts at its first behavior. Stored responses are
    /// kept.
    fn play(&self, played: Played, script: Script) -> Result<(), ScriptError> {
        self.wire.update(self.deployment(played, script))
    }

    fn deployment(&self, played: Played, script: Script) -> MockDeployment {
        let (surface, key) = match played {
            Played::OpenAi => (Surface::OpenAi, OPENAI_KEY),
            Played::Azure => (Surface::AzureV1, AZURE_KEY),
        };
        let first = match &self.models {
            Names::Listed(names) => names.first().cloned(),
            Names::Own | Names::Any => None,
        };
        let model = first.unwrap_or_else(|| DEFAULT_MODEL.to_owned());
        MockDeployment {
            prefix: played.prefix().to_owned(),
            deployment: Deployment { surface, name: model.clone(), model, key: key.to_owned() },
            names: self.models.clone(),
            script: script.script.into_iter().map(|behavior| behavior.value).collect(),
            repeat_last: script.repeat_last,
            marker: Marker::new(played.prefix()),
        }
    }
}
