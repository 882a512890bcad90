//! The reference router as a target. It is configured from the plan and runs in this process.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use fallproof_protocol::provider;
use fallproof_router::{self as router, Clock, Config, ManualClock};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::REFERENCE_CLIENT_KEY;
use crate::saboteur::framing::FaultyListener;
use crate::saboteur::request_proxy::RequestProxy;
use crate::saboteur::{Fault, Saboteur, header_passthrough, response_filter, wrapper};
use fallproof_protocol::condition::Condition;
use fallproof_runner::adapter::GatewayClient;
use fallproof_runner::client::BaseUrl;
use fallproof_runner::error::StartError;
use fallproof_runner::target::{RunningTarget, Setup, Starting, Target};
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::plan::{Deployment, Group, Plan};
use fallproof_suite::record::TargetName;
use fallproof_suite::scenario::{Scenario, Settings};
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

/// The reference router as a target, optionally broken by a saboteur.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReferenceTarget {
    /// The saboteur that breaks the router, if any.
    pub saboteur: Option<&'static Saboteur>,
}

impl Target for ReferenceTarget {
    fn identity(&self) -> BoxFuture<'_, TargetName> {
        let identity = match self.saboteur {
            None => TargetName {
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
                ..TargetName::of("reference router")
            },
            Some(saboteur) => {
                TargetName::of(format!("reference router with saboteur {}", saboteur.name))
            }
        };
        future::ready(identity).boxed()
    }

    fn capabilities(&self) -> Cow<'_, Capabilities> {
        Cow::Owned(Capabilities::reference())
    }

    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a> {
        async {
            let reference = Reference::start(setup.plan, setup.scenarios, self.saboteur).await;
            Ok(Box::new(reference.map_err(StartError::Router)?) as Box<dyn RunningTarget>)
        }
        .boxed()
    }
}

impl RunningTarget for Reference {
    fn gateway_key(&self) -> &str {
        REFERENCE_CLIENT_KEY
    }

    fn client(&self, scenario: &Scenario) -> Cow<'_, GatewayClient> {
        let key = REFERENCE_CLIENT_KEY.to_owned();
        let url = self.url(&scenario.id).expect("it listens since the case has started");
        Cow::Owned(GatewayClient::plain(url, key))
    }

    fn case_starts(&self, scenario: &Scenario) -> io::Result<()> {
        self.url(&scenario.id).map(drop)
    }

    fn case_ended(&self, scenario: &Scenario) {
        if let Some(clocked) = self.clocked.get(&scenario.id) {
            clocked.running.lock().take();
        }
    }

    fn advance(&self, scenario: &Scenario, by: Duration) -> bool {
        if let Some(clocked) = self.clocked.get(&scenario.id) {
            clocked.clock.advance(by);
        }
        true
    }

    fn has_own_clock(&self) -> bool {
        true
    }

    fn needs_preflight(&self) -> bool {
        false
    }
}

/// A running reference router. Dropping it stops it.
///
/// Each scenario with several steps has its own router with a manual clock, so that a cooldown does
/// not end early on a slow machine.
pub struct Reference {
    shared: Running,
    clocked: HashMap<String, Clocked>,
    fault: Option<Fault>,
    // Not read, but kept: dropping it would stop the proxy.
    _proxy: Option<RequestProxy>,
}

/// The router of one scenario. It listens only while its case runs: the routers of a whole suite would
/// need hundreds of file descriptors.
struct Clocked {
    app: axum::Router,
    clock: ManualClock,
    running: Mutex<Option<Running>>,
}

/// A listening router.
struct Running {
    url: BaseUrl,
    task: JoinHandle<io::Result<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reference {
    /// Starts the router for the plan of these scenarios, broken by `saboteur` if there is one.
    ///
    /// # Errors
    /// No port is available, or the router cannot be configured with the plan.
    pub async fn start(
        plan: &Plan,
        scenarios: &[&Scenario],
        saboteur: Option<&Saboteur>,
    ) -> io::Result<Self> {
        let fault = saboteur.map(|saboteur| saboteur.fault);
        let request_proxy = request_proxy(plan, fault).await?;
        let instead = request_proxy.as_ref().map(|request_proxy| request_proxy.addr);
        let mut clocked = HashMap::new();
        for scenario in scenarios.iter().filter(|scenario| scenario.steps.len() > 1) {
            let clock = ManualClock::new();
            let groups = plan.groups_of(&scenario.id);
            let app = app(groups, instead, fault, Clock::Manual(clock.clone()))?;
            let router = Clocked { app, clock, running: Mutex::default() };
            clocked.insert(scenario.id.clone(), router);
        }
        let others: Vec<_> = (plan.groups.iter())
            .filter(|group| !clocked.contains_key(&group.scenario))
            .cloned()
            .collect();
        let shared = run(app(&others, instead, fault, Clock::System)?, fault, ANY)?;
        Ok(Self { shared, clocked, fault, _proxy: request_proxy })
    }

    /// Starts a router broken by `saboteur` at this address.
    ///
    /// # Errors
    /// The address is not available, or the router cannot be configured with the plan.
    pub async fn serve(plan: &Plan, saboteur: &Saboteur, listen: SocketAddr) -> io::Result<Self> {
        let fault = Some(saboteur.fault);
        let request_proxy = request_proxy(plan, fault).await?;
        let instead = request_proxy.as_ref().map(|request_proxy| request_proxy.addr);
        let shared = run(app(&plan.groups, instead, fault, Clock::System)?, fault, listen)?;
        Ok(Self { shared, clocked: HashMap::new(), fault, _proxy: request_proxy })
    }

    /// Base URL for the calls of this scenario. Its router starts to listen if it does not yet.
    ///
    /// # Errors
    /// No port is available.
    pub fn url(&self, scenario: &str) -> io::Result<BaseUrl> {
        let Some(Clocked { app, running, .. }) = self.clocked.get(scenario) else {
            return Ok(self.shared.url.clone());
        };
        let mut running = running.lock();
        let router = match running.take() {
            Some(router) => router,
            None => run(app.clone(), self.fault, ANY)?,
        };
        Ok(running.insert(router).url.clone())
    }
}

/// Any free port on the loopback address.
const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Starts the proxy between router and providers, if the fault needs one.
async fn request_proxy(plan: &Plan, fault: Option<Fault>) -> io::Result<Option<RequestProxy>> {
    Ok(match fault {
        Some(Fault::Requests(change)) => Some(RequestProxy::start(&plan.groups, change).await?),
        Some(Fault::ForwardedHeaders(_)) => {
            Some(RequestProxy::start(&plan.groups, header_passthrough::unpack).await?)
        }
        Some(Fault::TrustedConnections) => Some(RequestProxy::start_trusting(&plan.groups).await?),
        Some(Fault::StuckTrial) => Some(RequestProxy::start_breaking(&plan.groups).await?),
        Some(Fault::StaleRequestId) => Some(RequestProxy::start_remembering(&plan.groups).await?),
        _ => None,
    })
}

/// Serves this application. Must be called within the runtime.
fn run(app: axum::Router, fault: Option<Fault>, listen: SocketAddr) -> io::Result<Running> {
    let listener = std::net::TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let url = BaseUrl::plain(listener.local_addr()?.to_string(), "/v1");
    let task = match fault {
        Some(Fault::Framing(fault)) => {
            let listener = FaultyListener { listener, fault };
            tokio::spawn(async move { axum::serve(listener, app).await })
        }
        _ => tokio::spawn(async move { axum::serve(listener, app).await }),
    };
    Ok(Running { url, task })
}

/// The router for these groups, with this fault. If `instead` is given, requests go to this address
/// instead of the deployments.
///
/// # Errors
/// The router cannot be configured with one of the groups.
pub fn app(
    groups: &[Group],
    instead: Option<SocketAddr>,
    fault: Option<Fault>,
    clock: Clock,
) -> io::Result<axum::Router> {
    let mut config = config(groups, instead)?;
    match fault {
        Some(Fault::Configured(change)) => change(&mut config),
        Some(Fault::EachGroup(change)) => config.groups.values_mut().for_each(change),
        _ => {}
    }
    Ok(match fault {
        Some(Fault::Wrapped(front)) => wrapper::app(front, config, groups, clock),
        Some(Fault::Responses(change)) => response_filter::app(change, config, groups, clock),
        Some(Fault::ForwardedHeaders(pass)) => header_passthrough::app(pass, config, clock),
        _ => router::app_with_clock(config, clock),
    })
}

/// Converts the groups to the router's configuration. If `instead` is given, requests go to this
/// address instead of the deployments.
fn config(groups: &[Group], instead: Option<SocketAddr>) -> io::Result<Config> {
    let client_key = credential(REFERENCE_CLIENT_KEY)?;
    let groups = groups
        .iter()
        .map(|planned| Ok((planned.model.clone(), group(planned, instead)?)))
        .collect::<io::Result<_>>()?;
    Ok(Config { client_keys: Some(vec![client_key]), groups, ..Config::default() })
}

fn group(planned: &Group, instead: Option<SocketAddr>) -> io::Result<router::Group> {
    let deployments = |deployments: &[Deployment]| {
        deployments.iter().map(|it| deployment(it, instead)).collect::<io::Result<Vec<_>>>()
    };
    let mut chain = deployments(&planned.chain)?.into_iter();
    let primary = chain.next().ok_or_else(|| io::Error::other("a chain is never empty"))?;
    let policy = &planned.policy;
    let timeout = Duration::from_millis(policy.timeout_ms);
    let mut group = router::Group {
        fallbacks: chain.collect(),
        retries: policy.retries,
        timeout,
        stream_idle_timeout: timeout,
        total_timeout: policy.total_timeout_ms.map(Duration::from_millis),
        cooldown: policy.cooldown.and_then(|cooldown| {
            let after_failures = NonZeroU32::new(cooldown.after_failures)?;
            let rest = Duration::from_millis(cooldown.duration_ms);
            Some(router::Cooldown { after_failures, duration: rest })
        }),
        on_context_length: deployments(&planned.on_context_length)?,
        on_content_filter: deployments(&planned.on_content_filter)?,
        ..router::Group::new(primary)
    };
    if let Some(ms) = policy.max_retry_after_ms {
        group.max_retry_after = Duration::from_millis(ms);
    }
    if let Some(conditions) = &policy.fallback_on {
        group.fallback_on = conditions.iter().copied().map(condition).collect();
    }
    Ok(group)
}

fn condition(condition: Condition) -> router::Condition {
    match condition {
        Condition::Connection => router::Condition::Connection,
        Condition::Timeout => router::Condition::Timeout,
        Condition::InvalidResponse => router::Condition::InvalidResponse,
        Condition::ErrorInSuccess => router::Condition::ErrorInSuccess,
        Condition::Status(code) => router::Condition::Status(code),
        Condition::Any4xx => router::Condition::Any4xx,
        Condition::Any5xx => router::Condition::Any5xx,
    }
}

fn deployment(
    deployment: &Deployment,
    instead: Option<SocketAddr>,
) -> io::Result<router::Deployment> {
    let base_url = match instead {
        Some(address) => {
            let path = deployment.base_url.strip_prefix(&deployment.host).unwrap_or_default();
            format!("http://{address}{}{path}", deployment.prefix)
        }
        None => deployment.base_url.clone(),
    };
    Ok(router::Deployment {
        surface: match (deployment.surface(), &deployment.api_version) {
            (provider::Surface::OpenAi, _) => router::Surface::OpenAi,
            (provider::Surface::AzureLegacy, Some(api_version)) => {
                router::Surface::AzureLegacy { api_version: api_version.clone() }
            }
            (provider::Surface::AzureV1 | provider::Surface::AzureLegacy, _) => {
                router::Surface::AzureV1
            }
        },
        base_url: base_url.try_into().map_err(io::Error::other)?,
        model: deployment.deployment_name.clone(),
        credential: credential(&deployment.key)?,
        headers: headers(&deployment.settings)?,
        query: deployment.settings.query.clone().into_iter().collect(),
    })
}

fn headers(settings: &Settings) -> io::Result<HeaderMap> {
    let header = |(name, value): (&str, &str)| {
        let name = name.parse::<HeaderName>().map_err(io::Error::other)?;
        Ok((name, HeaderValue::from_str(value).map_err(io::Error::other)?))
    };
    settings.all_headers().map(header).collect()
}

fn credential(key: &str) -> io::Result<router::Credential> {
    key.to_owned().try_into().map_err(io::Error::other)
}
