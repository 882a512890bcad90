//! A small correct LLM gateway, written to be read.
//!
//! Clients speak the `OpenAI` wire. The `model` they ask for names a model group; its fallback
//! chain of `OpenAI` and Azure `OpenAI` deployments is tried in order until one gives a whole
//! answer. Everything but the value of `model` goes out byte for byte.
//!
//! Where to read what: `chain` walks, `policy` decides, `attempt` makes one request, `splice`
//! edits the body, `error` words what goes wrong, `credential` keeps secrets secret.
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

mod app;
mod attempt;
mod chain;
mod config;
mod credential;
mod error;
mod file;
mod policy;
mod splice;

pub use app::{app, serve};
pub use config::{BaseUrl, Config, Deployment, Endpoint, Group, Invalid, Surface};
pub use credential::Credential;
pub use file::ConfigError;
pub use policy::Condition;
