//! Gateways as targets: one that runs already, and one that is started here from its adapter.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use fallproof_suite::declaration::Declaration;
use fallproof_suite::plan::{Addresses, Plan};
use fallproof_suite::scenario::Scenario;
use futures_util::FutureExt as _;

use crate::adapter::{Adapter, Front, Process, Site};
use crate::client::{self, BaseUrl};
use crate::error::StartError;
use crate::target::{RunningTarget, Setup, Starting, Target};

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
}

impl Target for RunningGateway {
    fn mocks_address(&self) -> SocketAddr {
        self.mocks
    }

    fn plan(&self, scenarios: &[&Scenario], addresses: Addresses) -> Plan {
        let scenarios = scenarios.iter().copied();
        match &self.adapter {
            Some(adapter) => adapter.plan(scenarios, addresses),
            None => Plan::new(scenarios, addresses),
        }
    }

    fn capabilities(&self) -> Cow<'_, Declaration> {
        match &self.adapter {
            Some(adapter) => Cow::Borrowed(&adapter.declaration),
            None => Cow::Owned(Declaration::default()),
        }
    }

    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a> {
        async {
            let Self { url, key, adapter, .. } = self;
            client::reachable(url)
                .await
                .map_err(|error| StartError::Unreachable(url.clone(), error))?;
            let front = Front::new(url.clone(), key.clone(), adapter.clone(), setup.plan)?;
            Ok(Box::new(Gateway { front, process: None }) as Box<dyn RunningTarget>)
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
    fn plan(&self, scenarios: &[&Scenario], addresses: Addresses) -> Plan {
        self.adapter.plan(scenarios.iter().copied(), addresses)
    }

    fn capabilities(&self) -> Cow<'_, Declaration> {
        Cow::Borrowed(&self.adapter.declaration)
    }

    fn start<'a>(&'a self, setup: Setup<'a>) -> Starting<'a> {
        async {
            let Self { adapter, site } = self;
            let configuration = adapter.render(setup.plan, site)?;
            let process = match setup.process {
                Some(process) => adapter.reload(process, &configuration, site).await,
                None => adapter.launch(&configuration, site).await,
            };
            let process = process.map_err(StartError::Launch)?;
            let (authority, key) = (&process.authority, site.key.clone());
            let front = Front::adapted(authority, key, Arc::clone(adapter), configuration);
            Ok(Box::new(Gateway { front, process: Some(process) }) as Box<dyn RunningTarget>)
        }
        .boxed()
    }
}

/// A gateway at work, and where it was started here its process.
struct Gateway {
    front: Front,
    process: Option<Process>,
}

impl RunningTarget for Gateway {
    fn gateway_key(&self) -> &str {
        &self.front.key
    }

    fn front(&self, _: &Scenario) -> Cow<'_, Front> {
        Cow::Borrowed(&self.front)
    }

    fn release(self: Box<Self>) -> Option<Process> {
        self.process
    }
}
