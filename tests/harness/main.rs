//! The harness: its files, commands, reports and adapters.

mod adapters;
mod anywhere;
mod book;
#[path = "../common/checks/mod.rs"]
mod checks;
mod cli;
mod client;
mod codes;
mod common;
mod coverage;
mod evidence;
#[path = "../common/evidence_file.rs"]
mod evidence_file;
mod fuzz;
mod hostile;
#[path = "../../protocol/tests/protocol/mutation.rs"]
mod mutation;
mod probe;
mod properties;
mod readers;
mod remote;
mod reports;
mod requests;
mod router;
mod scenario_files;
#[path = "../common/scratch.rs"]
mod scratch;
mod sends_ahead;
mod serve;
mod shell;
mod show;
mod structure;
mod suite_files;
mod tls;
mod verdicts;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
