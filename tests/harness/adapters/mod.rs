//! Adapters: their files, what they make of a plan, and the gateways that they start.

mod configuring;
mod files;
mod launching;
mod rendering;
mod splitting;
mod support;
