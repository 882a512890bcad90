//! Adapters: data that says how one gateway product is configured from a [plan](fallproof_suite::plan),
//! started, and spoken to.
//!
//! An adapter is a YAML file; no product is known to any code. Its texts are templates over the
//! plan, in the language of Jinja.

mod admin;
mod catalogue;
mod context;
mod file;
mod front;
mod installation;
mod log;
mod process;
mod render;
mod rounds;
mod schema;
mod template;

pub use admin::AdminError;
pub use catalogue::{FindError, all, find, read};
pub use context::Site;
pub use file::{Adapter, Client, Reset, State, Version};
pub use front::Front;
pub use installation::{Installation, Missing};
pub use log::Log;
pub use process::{LaunchError, Process};
pub use render::{Approach, Configuration, RenderError};
pub use rounds::{Round, Rounds, Unfit};
pub use schema::schema;
