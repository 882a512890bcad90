//! A size-limited log of items in arrival order. The oldest items are dropped first.

use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct BoundedLog<T> {
    most: usize,
    most_bytes: usize,
    bytes: usize,
    items: VecDeque<Item<T>>,
    dropped: u64,
}

#[derive(Debug)]
struct Item<T> {
    seq: u64,
    /// Prefix of the deployment.
    prefix: Box<str>,
    bytes: usize,
    value: T,
}

impl<T: Clone> BoundedLog<T> {
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        Self { most, most_bytes, bytes: 0, items: VecDeque::new(), dropped: 0 }
    }

    /// Appends an item that belongs to the deployment with this prefix and takes `bytes` bytes of
    /// memory. `seq` must be greater than in the call before.
    pub(super) fn push(&mut self, seq: u64, prefix: &str, bytes: usize, value: T) {
        self.items.push_back(Item { seq, prefix: prefix.into(), bytes, value });
        self.bytes += bytes;
        self.make_room();
    }

    /// Records that an item has grown by `more` bytes. Does nothing if the item was dropped.
    pub(super) fn grow(&mut self, seq: u64, more: usize) {
        if let Ok(at) = self.items.binary_search_by_key(&seq, |item| item.seq) {
            self.items[at].bytes += more;
            self.bytes += more;
            self.make_room();
        }
    }

    /// The items of a deployment, oldest first.
    pub(super) fn of(&self, prefix: &str) -> Vec<T> {
        let its = self.items.iter().filter(|item| *item.prefix == *prefix);
        its.map(|item| item.value.clone()).collect()
    }

    /// Removes and returns the items of a deployment, oldest first.
    pub(super) fn take(&mut self, prefix: &str) -> Vec<T> {
        let items = std::mem::take(&mut self.items).into_iter();
        let (taken, kept): (VecDeque<_>, _) = items.partition(|item| *item.prefix == *prefix);
        self.items = kept;
        self.bytes -= taken.iter().map(|item| item.bytes).sum::<usize>();
        taken.into_iter().map(|item| item.value).collect()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Drops the oldest items until the limits are met, but always keeps the newest item.
    fn make_room(&mut self) {
        while self.items.len() > 1
            && (self.items.len() > self.most || self.bytes > self.most_bytes)
            && let Some(oldest) = self.items.pop_front()
        {
            self.bytes -= oldest.bytes;
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_item_of_all_deployments_is_dropped() {
        let mut log = BoundedLog::new(3, usize::MAX);
        for (seq, prefix) in [(0, "a"), (1, "b"), (2, "a"), (3, "a"), (4, "b")] {
            log.push(seq, prefix, 1, seq);
        }
        assert_eq!((log.of("a"), log.of("b"), log.dropped()), (vec![2, 3], vec![4], 2));
    }

    #[test]
    fn items_are_dropped_by_size_too_but_the_last_one_stays() {
        let mut log = BoundedLog::new(10, 100);
        log.push(0, "a", 60, 'x');
        log.push(1, "a", 40, 'y');
        assert_eq!(log.of("a"), ['x', 'y']);
        log.grow(1, 1);
        assert_eq!(log.of("a"), ['y']);
        log.grow(1, 1_000);
        assert_eq!((log.of("a"), log.dropped()), (vec!['y'], 1));
        log.grow(0, usize::MAX);
        log.push(2, "b", 1, 'z');
        assert_eq!((log.of("a"), log.of("b")), (vec![], vec!['z']));
    }

    #[test]
    fn taken_items_free_their_memory() {
        let mut log = BoundedLog::new(2, 10);
        for seq in 0..100 {
            let prefix = seq.to_string();
            log.push(seq, &prefix, 5, ());
            assert_eq!(log.take(&prefix), [()]);
        }
        log.push(100, "a", 5, ());
        log.push(101, "a", 5, ());
        assert_eq!((log.take("a").len(), log.take("a").len(), log.dropped()), (2, 0, 0));
        assert_eq!((log.bytes, log.items.len()), (0, 0));
    }

    #[test]
    fn dropped_items_take_no_bytes() {
        let mut log = BoundedLog::new(2, 10);
        for seq in 0..100 {
            log.push(seq, &seq.to_string(), 1, ());
        }
        assert_eq!((log.items.len(), log.bytes, log.dropped()), (2, 2, 98));
    }
}
