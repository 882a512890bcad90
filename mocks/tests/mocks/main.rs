//! Tests of the mock providers, alone and behind the mock server.

mod errors_catalogue;
mod errors_recorded;
mod provider_checks;
mod provider_forms;
mod provider_probes;
mod replies_any;
mod replies_chat;
mod replies_others;
mod replies_streams;
mod replies_support;
mod server_connections;
mod server_fault_yaml;
mod server_faults;
mod server_fuzz;
mod server_hostile;
mod server_http;
mod server_request_log;
mod server_streams;
mod server_support;
