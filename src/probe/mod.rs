//! The probe: asks a target what it does, and drafts its capabilities.
//!
//! What is asked is a suite of its own, in `suite/`; nothing in it is right or wrong.

mod draft;
mod text;

use include_dir::{Dir, include_dir};

use fallproof_suite::scenario::{Scenario, Suite};
use fallproof_suite::yaml::LoadError;

pub use draft::{Draft, draft};
pub use text::{Difference, Item, differences, yaml};

static SUITE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/probe/suite");

/// What a target is asked.
///
/// # Errors
/// None, as a test checks.
pub fn questions() -> Result<Vec<Scenario>, LoadError> {
    Suite::within(&SUITE, "probe").map(|suite| suite.scenarios)
}
