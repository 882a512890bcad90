//! The responses that a deployment has stored.

use std::collections::VecDeque;
use std::sync::Arc;

/// Maximum number of responses; when there are more, the oldest are dropped.
const MOST_RESPONSES: usize = 1_000;

/// Maximum total size of the bodies, in bytes.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Ids and bodies, oldest first.
#[derive(Debug, Default)]
pub(super) struct Stored {
    responses: VecDeque<(String, Arc<[u8]>)>,
    bytes: usize,
}

impl Stored {
    pub(super) fn keep(&mut self, id: String, body: Vec<u8>) {
        self.bytes += body.len();
        self.responses.push_back((id, body.into()));
        // The newest response is kept, whatever its size.
        while self.responses.len() > MOST_RESPONSES
            || (self.bytes > MOST_BYTES && self.responses.len() > 1)
        {
            if let Some((_, body)) = self.responses.pop_front() {
                self.bytes -= body.len();
            }
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<[u8]>> {
        self.responses.iter().find(|(kept, _)| kept == id).map(|(_, body)| Arc::clone(body))
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.get(id).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_dropped_beyond_the_count_limit() {
        let mut stored = Stored::default();
        for id in 0..=MOST_RESPONSES {
            stored.keep(id.to_string(), vec![]);
        }
        assert!(!stored.has("0"));
        assert!(stored.has("1") && stored.has(&MOST_RESPONSES.to_string()));
    }

    #[test]
    fn the_oldest_are_dropped_beyond_the_size_limit_but_never_the_last() {
        let mut stored = Stored::default();
        stored.keep("a".to_owned(), vec![1; MOST_BYTES / 2]);
        stored.keep("b".to_owned(), vec![2; MOST_BYTES / 2]);
        assert!(stored.has("a") && stored.has("b"));
        stored.keep("c".to_owned(), vec![3]);
        assert!(!stored.has("a") && stored.has("b"));
        stored.keep("d".to_owned(), vec![4; MOST_BYTES + 1]);
        assert_eq!(stored.get("d").map(|body| body.len()), Some(MOST_BYTES + 1));
        assert!(!stored.has("b") && !stored.has("c"));
    }
}
