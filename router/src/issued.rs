//! Which deployment issued a response, for the calls that go on from it.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

/// The ids of the latest responses, in bounded memory.
///
/// A response that was stored at one provider is unknown to the others, so a call with its id as
/// `previous_response_id` goes there first. Ids that are forgotten, or were issued before a
/// restart, go the usual way.
#[derive(Debug, Default)]
pub(crate) struct Issued(Mutex<Generations>);

/// Two halves: when the younger one is full, the older one is forgotten.
#[derive(Debug, Default)]
struct Generations {
    younger: HashMap<String, usize>,
    older: HashMap<String, usize>,
}

impl Issued {
    /// How many ids a generation holds.
    const GENERATION: usize = 4096;

    /// Longer ids than any provider's are not worth their memory.
    const LONGEST_ID: usize = 256;

    /// The deployment at this place has issued this id.
    pub(crate) fn remember(&self, id: String, place: usize) {
        if id.len() > Self::LONGEST_ID {
            return;
        }
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.younger.len() >= Self::GENERATION {
            ids.older = mem::take(&mut ids.younger);
        }
        ids.younger.insert(id, place);
    }

    /// The place of the deployment that has issued this id.
    pub(crate) fn place_of(&self, id: &str) -> Option<usize> {
        let ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.younger.get(id).or_else(|| ids.older.get(id)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_ids_are_known_and_the_oldest_are_forgotten() {
        let issued = Issued::default();
        for place in 0..=2 * Issued::GENERATION {
            issued.remember(place.to_string(), place);
        }
        assert_eq!(issued.place_of("0"), None);
        for place in Issued::GENERATION..=2 * Issued::GENERATION {
            assert_eq!(issued.place_of(&place.to_string()), Some(place));
        }
        issued.remember("x".repeat(1_000), 1);
        assert_eq!(issued.place_of(&"x".repeat(1_000)), None);
    }
}
