//! Cases as a proptest strategy.

use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::dice::Dice;
use super::draft::Draft;
use super::draw::{self, Scope};
use super::shrink::Shrinking;

/// All cases within a scope.
#[derive(Debug, Clone)]
pub struct Drafts(pub Scope);

impl Strategy for Drafts {
    type Tree = Shrinking;
    type Value = Draft;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let draft = draw::draft(&self.0, &mut Dice::new(runner.rng()));
        Ok(Shrinking::new(draft, false))
    }
}

impl ValueTree for Shrinking {
    type Value = Draft;

    fn current(&self) -> Draft {
        Self::current(self).clone()
    }

    fn simplify(&mut self) -> bool {
        Self::simplify(self)
    }

    fn complicate(&mut self) -> bool {
        Self::complicate(self)
    }
}
