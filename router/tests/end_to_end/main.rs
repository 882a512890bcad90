//! The router between a real client and hand-written upstreams, over real sockets.

mod answers;
mod chain;
mod front;
mod requests;
mod support;
