//! The router between a real client and hand-written deployments and strict providers, over real sockets.

mod answers;
mod breaks;
mod chain;
mod detours;
mod forms;
mod front;
mod requests;
mod rests;
mod streams;
mod strict;
mod support;
