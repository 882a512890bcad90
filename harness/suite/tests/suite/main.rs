//! Property tests of the loader of scenario files.

mod checks;
#[path = "../../../../protocol/tests/protocol/mutation.rs"]
mod mutation;
mod scenario;
