//! Adapters: their files, the configurations rendered from them, and the gateways they start.

mod configuring;
mod files;
mod installation;
mod launching;
mod rendering;
mod splitting;
mod support;
mod variants;
