//! A small, correct LLM gateway, written to be read.
//!
//! Clients use the `OpenAI` API. The `model` in a request is the name of a model group. A group has
//! a fallback chain of `OpenAI` and Azure `OpenAI` deployments, and the router tries them in order
//! until one succeeds. The request body is forwarded byte for byte, except for the value of
//! `model`.
//!
//! Modules: `chain` walks the fallback chain, `policy` decides about retries and fallback,
//! `attempt` makes one request, and `outcome` is the result of an attempt. `splice` edits the body,
//! and `headers` selects the headers to forward. `stream` forwards streamed answers, `sse` splits
//! them into events, and `event` classifies the events. `health` manages cooldowns, and `error`
//! creates the errors for clients. `config` holds the operator's settings; its submodule
//! `credential` keeps API keys secret.
//!
//! ```
//! use std::time::Duration;
//! use axum::http::HeaderMap;
//! use fallproof_router::{Config, Deployment, Group, Surface};
//!
//! # fn main() -> Result<(), fallproof_router::Invalid> {
//! let primary = Deployment {
//!     surface: Surface::OpenAi,
//!     base_url: "http://127.0.0.1:9100/primary/v1".to_owned().try_into()?,
//!     model: "gpt-5".to_owned(),
//!     credential: "sk-primary".to_owned().try_into()?,
//!     headers: HeaderMap::new(),
//!     query: Vec::new(),
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
