//! End-to-end tests over real sockets: a real client, the router, and scripted deployments or
//! strict providers.

mod answers;
mod chain;
mod cooldown;
mod forms;
mod front;
mod interrupted;
mod requests;
mod special_chains;
mod streams;
mod strict;
mod support;
