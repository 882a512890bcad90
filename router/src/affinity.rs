//! Which deployment gave a response, for the calls that go on from it.

use std::collections::HashMap;
use std::mem;

use parking_lot::Mutex;

/// The ids of the latest responses, in bounded memory.
///
/// A response that was stored at one provider is unknown to the others, so a call with its id as
/// `previous_response_id` goes there first. Ids that are forgotten, or were given before a
/// restart, go the usual way.
#[derive(Debug, Default)]
pub(crate) struct Affinity(Mutex<Generations>);

/// Two halves: when the younger one is full, the older one is forgotten.
#[derive(Debug, Default)]
struct Generations {
    younger: HashMap<String, usize>,
    older: HashMap<String, usize>,
}

impl Affinity {
    /// How many ids a generation holds.
    const GENERATION: usize = 4096;

    /// Longer ids than any provider's are not worth their memory.
    const LONGEST_ID: usize = 256;

    /// The deployment with this index has given the response with this id.
    pub(crate) fn remember(&self, id: String, deployment: usize) {
        if id.len() > Self::LONGEST_ID {
            return;
        }
        let mut ids = self.0.lock();
        if ids.younger.len() >= Self::GENERATION {
            ids.older = mem::take(&mut ids.younger);
        }
        ids.younger.insert(id, deployment);
    }

    /// The index of the deployment that has given the response with this id.
    pub(crate) fn deployment_of(&self, id: &str) -> Option<usize> {
        let ids = self.0.lock();
        ids.younger.get(id).or_else(|| ids.older.get(id)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_ids_are_known_and_the_oldest_are_forgotten() {
        let affinity = Affinity::default();
        for index in 0..=2 * Affinity::GENERATION {
            affinity.remember(index.to_string(), index);
        }
        assert_eq!(affinity.deployment_of("0"), None);
        for index in Affinity::GENERATION..=2 * Affinity::GENERATION {
            assert_eq!(affinity.deployment_of(&index.to_string()), Some(index));
        }
        affinity.remember("x".repeat(1_000), 1);
        assert_eq!(affinity.deployment_of(&"x".repeat(1_000)), None);
    }
}
