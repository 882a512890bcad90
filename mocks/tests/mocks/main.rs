//! The mock providers, piece by piece and on the wire.

mod brain_checks;
mod brain_forms;
mod brain_probes;
mod errors_catalogue;
mod errors_recorded;
mod replies_any;
mod replies_chat;
mod replies_others;
mod replies_streams;
mod replies_support;
mod wire_faults;
mod wire_fuzz;
mod wire_http;
mod wire_journal;
mod wire_plan;
mod wire_streams;
mod wire_support;
