//! Gateways as targets: one that runs already, and one that is started here from its adapter.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use fallproof_suite::record::TargetName;
use fallproof_suite::scenario::Scenario;
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use crate::adapter::{Adapter, Configuration, GatewayClient, Process, Site};
use crate::client::{self, BaseUrl};
use crate::error::StartError;
use crate::target::{RunningTarget, Setup, Starting, Target, named};

/// Where a gateway expects the mocks by default; the two ports after it are theirs too.
pub const DEFAULT_MOCKS: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9100));

/// A gateway that runs already and was configured from the plan.
#[derive(Debug, Clone)]
pub struct RunningGateway {
    /// Where it listens.
    pub url: BaseUrl,
    /// The key that it wants from its clients.
    pub key: String,
    /// Where it expects the mocks.
    pub mocks: SocketAddr,
    /// How it is spoken to and what it claims; as OpenAI is, with no claim of its own, by default.
    pub adapter: Option<Arc<Adapter>>,
    /// What reports call it, instead of what the adapter does.
    pub name: Option<String>,
    /// Its version, for the reports.
    pub version: Option<String>,
}

impl Target for RunningGateway {
    fn identity(&self) -> BoxFuture<'_, TargetName> {
        let known = named(self.adapter());
        let identity = TargetName {
            name: self.name.clone().unwrap_or(known.name),
            version: self.version.clone(),
            adapter: known.adapter,
            address: Some(self.url.authority.clone()),
        };
        future::ready(identity).boxed()
    }

    fn adapter(&self) -> Option<&Adapter> {
        self.adapter.as_deref()
    }

    fn mocks_address(&self) -> SocketAddr {
        self.mocks
    }

    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a> {
        async {
            let Self { url, key, adapter, .. } = self;
            client::reachable(url)
                .await
                .map_err(|error| StartError::Unreachable(url.clone(), error))?;
            let client = GatewayClient::new(url.clone(), key.clone(), adapter.clone(), setup.plan)?;
            Ok(Box::new(Running { client }) as Box<dyn RunningTarget>)
        }
        .boxed()
    }
}

/// A gateway that is started here, configured by its adapter.
#[derive(Debug, Clone)]
pub struct LaunchedGateway {
    /// How it is configured, started and spoken to.
    pub adapter: Arc<Adapter>,
    /// What is started, where it is written to and where it listens.
    pub site: Site,
}

impl Target for LaunchedGateway {
    fn identity(&self) -> BoxFuture<'_, TargetName> {
        async {
            let Self { adapter, site } = self;
            let version = adapter.installed_version(&site.installation).await;
            TargetName { version, ..named(Some(adapter)) }
        }
        .boxed()
    }

    fn adapter(&self) -> Option<&Adapter> {
        Some(&self.adapter)
    }

    fn site(&self) -> Option<&Site> {
        Some(&self.site)
    }

    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a> {
        async {
            let Self { adapter, site } = self;
            let configuration = adapter.render(setup.plan, site)?;
            let process = adapter.launch(&configuration, site).await.map_err(StartError::Launch)?;
            Ok(Box::new(self.at_work(process, configuration)) as Box<dyn RunningTarget>)
        }
        .boxed()
    }
}

impl LaunchedGateway {
    fn at_work(&self, process: Process, configuration: Configuration) -> Launched {
        let (authority, key) = (&process.authority, self.site.key.clone());
        let adapter = Arc::clone(&self.adapter);
        let client = GatewayClient::adapted(authority, key, adapter, configuration);
        Launched { gateway: self.clone(), client, process }
    }
}

/// A gateway at work that somebody else started.
struct Running {
    client: GatewayClient,
}

impl RunningTarget for Running {
    fn gateway_key(&self) -> &str {
        &self.client.key
    }

    fn client(&self, _: &Scenario) -> Cow<'_, GatewayClient> {
        Cow::Borrowed(&self.client)
    }
}

/// A gateway at work that was started here.
struct Launched {
    gateway: LaunchedGateway,
    client: GatewayClient,
    process: Process,
}

impl RunningTarget for Launched {
    fn gateway_key(&self) -> &str {
        &self.client.key
    }

    fn client(&self, _: &Scenario) -> Cow<'_, GatewayClient> {
        Cow::Borrowed(&self.client)
    }

    fn ended(&mut self, within: Duration) -> BoxFuture<'_, Option<ExitStatus>> {
        self.process.ended_within(within).boxed()
    }

    fn reloads(&self) -> bool {
        self.gateway.adapter.reloads()
    }

    fn reload(self: Box<Self>, setup: Setup<'_>) -> Starting<'_> {
        async {
            let Self { gateway, process, .. } = *self;
            let LaunchedGateway { adapter, site } = &gateway;
            let configuration = adapter.render(setup.plan, site)?;
            let process = adapter.reload(process, &configuration, site).await;
            let process = process.map_err(StartError::Launch)?;
            Ok(Box::new(gateway.at_work(process, configuration)) as Box<dyn RunningTarget>)
        }
        .boxed()
    }

    fn stop(self: Box<Self>, hurry: BoxFuture<'_, ()>) -> BoxFuture<'_, ()> {
        self.process.stop(hurry).boxed()
    }
}
