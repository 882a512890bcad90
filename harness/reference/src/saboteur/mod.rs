//! Saboteurs: routers broken on purpose. Each one proves that a check catches one kind of bug.
//!
//! A saboteur is not a modified copy of the reference router. Instead the router is misconfigured,
//! or a [`request_proxy`] runs between the router and the providers, or a [`wrapper`] surrounds the
//! router, or the bytes of its responses are changed ([`framing`]).

mod breaker;
mod catalogue;
mod faults;
pub mod framing;
pub mod header_passthrough;
mod kept_connections;
pub mod request_proxy;
pub mod response_filter;
pub mod stream;
pub mod wrapper;

use fallproof_router::{Config, Group};

use framing::FramingFault;
use request_proxy::Outgoing;
use response_filter::Answer;
use wrapper::Wrapper;

/// A router broken on purpose.
#[derive(Debug)]
pub struct Saboteur {
    /// Name, in kebab-case.
    pub name: &'static str,
    /// Short description of the bug.
    pub breaks: &'static str,
    /// Codes of the requirements that the saboteur violates when the complete suite runs, except
    /// for those that name this saboteur.
    pub also: &'static [&'static str],
    /// How the router is broken.
    pub fault: Fault,
}

impl Saboteur {
    const fn new(name: &'static str, breaks: &'static str, fault: Fault) -> Self {
        Self { name, breaks, also: &[], fault }
    }

    const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }
}

/// The way in which a router is broken.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The configuration is changed.
    Configured(fn(&mut Config)),
    /// The configuration of each group is changed.
    EachGroup(fn(&mut Group)),
    /// Each request to a provider is changed.
    Requests(fn(&mut Outgoing<'_>)),
    /// The router is wrapped.
    Wrapped(Wrapper),
    /// Each response to the client is changed.
    Responses(fn(&mut Answer<'_>)),
    /// The framing of each response is changed.
    Framing(FramingFault),
    /// Client headers whose names match are forwarded to the providers.
    ForwardedHeaders(fn(&str) -> bool),
    /// Connections are reused, and a call fails if its connection is lost.
    TrustedConnections,
    /// After a failure, the deployment gets one trial attempt, and no other attempt until the trial
    /// succeeds or fails.
    StuckTrial,
    /// A response carries the request id of the previous, failed attempt.
    StaleRequestId,
}

/// All saboteurs. The bug that started the project comes first.
pub fn all() -> &'static [Saboteur] {
    catalogue::ALL
}

/// Returns the saboteur with this name.
pub fn find(name: &str) -> Option<&'static Saboteur> {
    all().iter().find(|saboteur| saboteur.name == name)
}
