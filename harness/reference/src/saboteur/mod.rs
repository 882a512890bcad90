//! Saboteurs: routers broken on purpose, each to prove that a check catches it.
//!
//! None is a copy of the reference router. It is configured wrongly, or a [`request_proxy`] sits between
//! it and the providers, or something stands in [`wrapper`] of it.

mod catalogue;
mod faults;
pub mod header_passthrough;
pub mod request_proxy;
pub mod response_filter;
pub mod stream;
pub mod wrapper;

use fallproof_router::{Config, Group};

use request_proxy::Outgoing;
use response_filter::Answer;
use wrapper::Wrapper;

/// A router broken on purpose.
#[derive(Debug)]
pub struct Saboteur {
    /// Its name, kebab-case.
    pub name: &'static str,
    /// What it does wrong, in a few words.
    pub breaks: &'static str,
    /// Codes of requirements that it cannot help breaking beside those that name it, over the whole
    /// suite.
    pub also: &'static [&'static str],
    /// How it is broken.
    pub means: Fault,
}

impl Saboteur {
    const fn new(name: &'static str, breaks: &'static str, means: Fault) -> Self {
        Self { name, breaks, also: &[], means }
    }

    const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }
}

/// How a router is broken.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Its configuration is not the plan's.
    Configured(fn(&mut Config)),
    /// The configuration of each group is not the plan's.
    EachGroup(fn(&mut Group)),
    /// Each of its requests is changed on the way out.
    Meddled(fn(&mut Outgoing<'_>)),
    /// Something stands in front of it.
    Fronted(Wrapper),
    /// Each of its answers is changed.
    Changed(fn(&mut Answer<'_>)),
    /// The client's headers with such names reach the providers.
    Passing(fn(&str) -> bool),
    /// An answer comes with the request id of the attempt before.
    Remembering,
}

/// Every saboteur, the founding bug first.
pub fn all() -> &'static [Saboteur] {
    catalogue::ALL
}

/// The saboteur of this name.
pub fn find(name: &str) -> Option<&'static Saboteur> {
    all().iter().find(|saboteur| saboteur.name == name)
}
