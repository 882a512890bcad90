//! The findings of a walk so far.

use std::ops::ControlFlow;

use crate::Strength;
use crate::finding::Finding;
use crate::path::Step;

/// Whether the walk continues. The walk stops at an observed finding.
pub(super) type Flow = ControlFlow<()>;

/// The first finding of each strength.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    pub(super) observed: Option<Finding<'a>>,
    pub(super) documented: Option<Finding<'a>>,
}

impl<'a> Found<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.observed.is_none() && self.documented.is_none()
    }

    pub(super) fn add(&mut self, finding: Finding<'a>) -> Flow {
        match finding.strength {
            Strength::Observed => {
                self.observed.get_or_insert(finding);
                Flow::Break(())
            }
            Strength::Documented => {
                self.documented.get_or_insert(finding);
                Flow::Continue(())
            }
        }
    }

    pub(super) fn into_first(self) -> Option<Finding<'a>> {
        self.observed.or(self.documented)
    }

    /// How far the walk got before its first finding: the depth of that finding, and the array
    /// indexes in its path.
    pub(super) fn progress(&self) -> (usize, Vec<usize>) {
        let first = self.observed.as_ref().or(self.documented.as_ref());
        let path = first.map_or(&[][..], |finding| &finding.path);
        let places = path.iter().filter_map(|step| match step {
            Step::Index(index) => Some(*index),
            Step::Key(_) => None,
        });
        (path.len(), places.collect())
    }
}
