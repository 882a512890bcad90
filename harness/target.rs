//! The reference router as a target: configured from the plan, in this process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use fallproof_mocks::provider;
use fallproof_router::{self as router, Config};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::BaseUrl;
use crate::plan::{Group, Hop, Plan};
use crate::saboteur::meddler::Meddler;
use crate::saboteur::{Means, Saboteur, front, passing, spoiler};

/// The key that the reference router wants from its clients.
pub const REFERENCE_CLIENT_KEY: &str = "sk-fallproof-client";

/// A running reference router; it ends when dropped.
pub struct Reference {
    /// Where it listens.
    pub url: BaseUrl,
    task: JoinHandle<io::Result<()>>,
    // Held for its drop.
    _meddler: Option<Meddler>,
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reference {
    /// Starts it for this plan, broken as the saboteur says.
    ///
    /// # Errors
    /// Those of listening on a port that the system chooses.
    pub async fn start(plan: &Plan, saboteur: Option<&Saboteur>) -> io::Result<Self> {
        let means = saboteur.map(|saboteur| saboteur.means);
        let meddler = match means {
            Some(Means::Meddled(change)) => Some(Meddler::start(&plan.groups, change).await?),
            Some(Means::Passing(_)) => Some(Meddler::start(&plan.groups, passing::unpack).await?),
            _ => None,
        };
        let mut config = config(plan, meddler.as_ref().map(|meddler| meddler.addr))?;
        if let Some(Means::Configured(change)) = means {
            change(&mut config);
        }
        let app = match means {
            Some(Means::Fronted(front)) => front::app(front, config, &plan.groups),
            Some(Means::Spoiled(change)) => spoiler::app(change, config, &plan.groups),
            Some(Means::Passing(pass)) => passing::app(pass, config),
            _ => router::app(config),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = BaseUrl { authority: listener.local_addr()?.to_string(), path: "/v1".to_owned() };
        let task = tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { url, task, _meddler: meddler })
    }
}

/// The plan as the router's configuration; requests go to `instead` where that is given.
fn config(plan: &Plan, instead: Option<SocketAddr>) -> io::Result<Config> {
    let client_key = credential(REFERENCE_CLIENT_KEY)?;
    let groups = plan
        .groups
        .iter()
        .map(|planned| Ok((planned.group.clone(), group(planned, instead)?)))
        .collect::<io::Result<_>>()?;
    Ok(Config { client_keys: Some(vec![client_key]), groups, ..Config::default() })
}

fn group(planned: &Group, instead: Option<SocketAddr>) -> io::Result<router::Group> {
    let mut chain = planned.chain.iter().map(|hop| deployment(hop, instead));
    let primary = chain.next().ok_or_else(|| io::Error::other("a chain is never empty"))??;
    Ok(router::Group {
        fallbacks: chain.collect::<io::Result<_>>()?,
        retries: planned.policy.retries,
        timeout: Duration::from_millis(planned.policy.timeout_ms),
        stream_idle_timeout: Duration::from_millis(planned.policy.timeout_ms),
        ..router::Group::new(primary)
    })
}

fn deployment(hop: &Hop, instead: Option<SocketAddr>) -> io::Result<router::Deployment> {
    let base_url = match instead {
        Some(address) => {
            let path = hop.base_url.strip_prefix(&hop.host).unwrap_or_default();
            format!("http://{address}{}{path}", hop.prefix)
        }
        None => hop.base_url.clone(),
    };
    Ok(router::Deployment {
        surface: match (hop.surface(), &hop.api_version) {
            (provider::Surface::OpenAi, _) => router::Surface::OpenAi,
            (provider::Surface::AzureLegacy, Some(api_version)) => {
                router::Surface::AzureLegacy { api_version: api_version.clone() }
            }
            (provider::Surface::AzureV1 | provider::Surface::AzureLegacy, _) => {
                router::Surface::AzureV1
            }
        },
        base_url: base_url.try_into().map_err(io::Error::other)?,
        model: hop.deployment.clone(),
        credential: credential(&hop.key)?,
    })
}

fn credential(key: &str) -> io::Result<router::Credential> {
    key.to_owned().try_into().map_err(io::Error::other)
}
