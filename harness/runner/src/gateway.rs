//! Gateways as targets: already running ones, and ones started from an adapter.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use fallproof_suite::plan::MockAddress;
use fallproof_suite::record::TargetName;
use fallproof_suite::scenario::Scenario;
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use crate::adapter::{Adapter, Configuration, GatewayClient, Process, Site};
use crate::client::{self, BaseUrl};
use crate::error::StartError;
use crate::target::{RunningTarget, Setup, Starting, Target, named};

/// Default address of the mocks. They also use the next two ports.
pub const DEFAULT_MOCKS: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9100));

/// A gateway that is already running and was configured from the plan.
#[derive(Debug, Clone)]
pub struct RunningGateway {
    /// Base URL of the gateway.
    pub url: BaseUrl,
    /// API key that clients send to the gateway.
    pub key: String,
    /// Where the mocks listen, and how the gateway reaches them.
    pub mocks: MockAddress,
    /// Adapter with the API and the capabilities of the gateway. Without an adapter, the gateway
    /// has the OpenAI API and the default capabilities.
    pub adapter: Option<Arc<Adapter>>,
    /// Name in reports, instead of the adapter's name.
    pub name: Option<String>,
    /// Version in reports.
    pub version: Option<String>,
}

impl Target for RunningGateway {
    fn identity(&self) -> BoxFuture<'_, TargetName> {
        let known = named(self.adapter());
        let identity = TargetName {
            name: self.name.clone().unwrap_or(known.name),
            version: self.version.clone(),
            adapter: known.adapter,
            variant: known.variant,
            address: Some(match self.url.tls {
                Some(_) => format!("https://{}", self.url.authority),
                None => self.url.authority.clone(),
            }),
        };
        future::ready(identity).boxed()
    }

    fn adapter(&self) -> Option<&Adapter> {
        self.adapter.as_deref()
    }

    fn mocks(&self) -> MockAddress {
        self.mocks.clone()
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

/// A gateway that Fallproof configures and starts from its adapter.
#[derive(Debug, Clone)]
pub struct LaunchedGateway {
    /// Adapter that describes how to configure, start and call the gateway.
    pub adapter: Arc<Adapter>,
    /// Installation, directory and address.
    pub site: Site,
    /// Where the mocks listen, and how the gateway reaches them. The system chooses their ports.
    pub mocks: MockAddress,
}

impl Target for LaunchedGateway {
    fn identity(&self) -> BoxFuture<'_, TargetName> {
        async {
            let Self { adapter, site, .. } = self;
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

    fn mocks(&self) -> MockAddress {
        self.mocks.clone()
    }

    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a> {
        async {
            let Self { adapter, site, .. } = self;
            let configuration = adapter.render(setup.plan, site)?;
            let process = adapter.launch(&configuration, site).await.map_err(StartError::Launch)?;
            Ok(Box::new(self.running(process, configuration)) as Box<dyn RunningTarget>)
        }
        .boxed()
    }
}

impl LaunchedGateway {
    fn running(&self, process: Process, configuration: Configuration) -> Launched {
        let (authority, key) = (&process.authority, self.site.key.clone());
        let adapter = Arc::clone(&self.adapter);
        let client = GatewayClient::adapted(authority, key, adapter, configuration);
        Launched { gateway: self.clone(), client, process }
    }
}

/// A running gateway that the user started.
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

/// A running gateway that Fallproof started.
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
            let LaunchedGateway { adapter, site, .. } = &gateway;
            let configuration = adapter.render(setup.plan, site)?;
            let process = adapter.reload(process, &configuration, site).await;
            let process = process.map_err(StartError::Launch)?;
            Ok(Box::new(gateway.running(process, configuration)) as Box<dyn RunningTarget>)
        }
        .boxed()
    }

    fn stop(self: Box<Self>, hurry: BoxFuture<'_, ()>) -> BoxFuture<'_, ()> {
        self.process.stop(hurry).boxed()
    }
}
