//! A small correct LLM gateway, written to be read.
//!
//! Clients speak the `OpenAI` wire. The `model` they ask for names a model group; its fallback
//! chain of `OpenAI` and Azure `OpenAI` deployments is tried in order until one gives a whole
//! answer. Everything but the value of `model` goes out byte for byte.
//!
//! Where to read what: `chain` walks, `policy` decides, `attempt` makes one request, `outcome` is
//! what comes of it, `splice` edits the body, `headers` picks what passes, `stream` passes on what
//! comes bit by bit (`sse` tells its events apart, `event` knows what they mean), `health` puts
//! deployments aside, `error` words what goes wrong, `config` is what the operator decides, and
//! its `credential` keeps secrets secret.
//!
//! ```
//! use std::time::Duration;
//! use fallproof_router::{Config, Deployment, Group, Surface};
//!
//! # fn main() -> Result<(), fallproof_router::Invalid> {
//! let primary = Deployment {
//!     surface: Surface::OpenAi,
//!     base_url: "http://127.0.0.1:9100/primary/v1".to_owned().try_into()?,
//!     model: "gpt-5".to_owned(),
//!     credential: "sk-primary".to_owned().try_into()?,
//! };
//! let group = Group { timeout: Duration::from_secs(5), ..Group::new(primary) };
//! let mut config = Config::default();
//! config.groups.insert("summaries".to_owned(), group);
//! let router: axum::Router = fallproof_router::app(config);
//! # Ok(())
//! # }
//! ```

mod affinity;
mod app;
mod attempt;
mod call;
mod chain;
mod clock;
mod config;
mod endpoint;
mod error;
mod event;
mod headers;
mod health;
mod outcome;
mod policy;
mod provider_error;
mod reader;
mod retry_after;
mod route;
mod splice;
mod sse;
mod stream;

pub use app::{app, app_with_clock, serve};
pub use clock::{Clock, ManualClock};
pub use config::{
    BaseUrl, Condition, Config, ConfigError, Cooldown, Credential, Deployment, Group, Invalid,
    Surface,
};
pub use endpoint::Endpoint;
