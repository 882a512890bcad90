//! The probe: detects what a target does and drafts its capabilities.
//!
//! Its scenarios are a separate suite in `suite/`, which does not judge any behavior as right or
//! wrong.

mod draft;
mod text;

use include_dir::{Dir, include_dir};

use fallproof_suite::scenario::{Scenario, Suite};
use fallproof_suite::yaml::LoadError;

pub use draft::{Draft, draft};
pub use text::{Difference, Item, differences, yaml};

static SUITE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/probe/suite");

/// The scenarios of the probe.
///
/// # Errors
/// A scenario of the probe is invalid. A test ensures that this cannot happen.
pub fn questions() -> Result<Vec<Scenario>, LoadError> {
    Suite::within(&SUITE, "probe").map(|suite| suite.scenarios)
}
