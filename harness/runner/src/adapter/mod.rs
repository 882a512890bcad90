//! Adapters. An adapter describes how to configure one gateway product from a
//! [plan](fallproof_suite::plan), and how to start and call it.
//!
//! An adapter is a YAML file, so no code is specific to a product. Many of its values are Jinja
//! templates, which are rendered with values from the plan.

mod admin;
mod catalogue;
mod config_batches;
mod context;
mod environment;
mod file;
mod fill;
mod gateway_client;
mod http_client;
mod installation;
mod log;
mod parse;
mod process;
mod ready;
mod render;
mod site;
mod strict;
mod template;
mod unused;
mod variant;
mod waivers;
mod watchdog;

pub use admin::AdminError;
pub use catalogue::{FindError, all, find, read};
pub use config_batches::{ConfigBatch, ConfigBatches, Unsupported};
pub use file::{Adapter, Client, Reset, State, Variant, Version, schema};
pub use fill::RenderError;
pub use gateway_client::GatewayClient;
pub use installation::{Installation, Missing};
pub use log::Log;
pub use process::{LaunchError, Process};
pub use render::{Configuration, RequestStyle};
pub use site::Site;
pub use unused::Unused;
pub use variant::UnknownVariant;
