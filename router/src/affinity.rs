//! Remembers which deployment created a response, for calls that continue it.

use std::collections::HashMap;
use std::mem;

use parking_lot::Mutex;

/// The ids of the latest responses, in bounded memory.
///
/// A response is stored only by the provider that created it. Therefore, a call with the response's
/// id as `previous_response_id` goes to the same deployment first. If the id is not remembered,
/// e.g. because the router was restarted, the call simply follows the chain.
#[derive(Debug, Default)]
pub(crate) struct Affinity(Mutex<Generations>);

/// Two generations of ids. When the younger generation is full, the older generation is dropped.
#[derive(Debug, Default)]
struct Generations {
    younger: HashMap<String, usize>,
    older: HashMap<String, usize>,
}

impl Affinity {
    /// Number of ids per generation.
    const GENERATION: usize = 4096;

    /// Maximum length of an id. Ids from all known providers are shorter.
    const LONGEST_ID: usize = 256;

    /// Records that the deployment with this index created the response with this id.
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

    /// Index of the deployment that created the response with this id.
    pub(crate) fn deployment_of(&self, id: &str) -> Option<usize> {
        let ids = self.0.lock();
        ids.younger.get(id).or_else(|| ids.older.get(id)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_ids_are_remembered_and_the_oldest_dropped() {
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
