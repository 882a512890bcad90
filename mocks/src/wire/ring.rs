//! A ring: things in order of arrival, put on shelves by name, the oldest of all dropped when there
//! are too many or when they are too heavy.

use std::collections::{BTreeMap, HashMap};

#[derive(Debug)]
pub(super) struct Ring<T> {
    most: usize,
    most_weight: usize,
    weight: usize,
    /// Shelf and weight of each, by number.
    order: BTreeMap<u64, (String, usize)>,
    shelves: HashMap<String, BTreeMap<u64, T>>,
    dropped: u64,
}

impl<T: Clone> Ring<T> {
    pub(super) fn new(most: usize, most_weight: usize) -> Self {
        Self {
            most,
            most_weight,
            weight: 0,
            order: BTreeMap::new(),
            shelves: HashMap::new(),
            dropped: 0,
        }
    }

    /// Puts it on the shelf of this name. Numbers must rise.
    pub(super) fn put(&mut self, number: u64, name: &str, weight: usize, thing: T) {
        self.shelves.entry(name.to_owned()).or_default().insert(number, thing);
        self.order.insert(number, (name.to_owned(), weight));
        self.weight += weight;
        self.make_room();
    }

    /// It has become so much heavier; nothing happens if it is not here any more.
    pub(super) fn weigh_down(&mut self, number: u64, more: usize) {
        if let Some((_, weight)) = self.order.get_mut(&number) {
            *weight += more;
            self.weight += more;
            self.make_room();
        }
    }

    /// What is on a shelf, the oldest first.
    pub(super) fn on(&self, name: &str) -> Vec<T> {
        self.shelves.get(name).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// Clears a shelf.
    pub(super) fn take(&mut self, name: &str) -> Vec<T> {
        let taken = self.shelves.remove(name).unwrap_or_default();
        for number in taken.keys() {
            let (_, weight) = self.order.remove(number).unwrap_or_default();
            self.weight -= weight;
        }
        taken.into_values().collect()
    }

    /// How many were dropped to make room.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Drops the oldest, but never the last one.
    fn make_room(&mut self) {
        while self.order.len() > 1
            && (self.order.len() > self.most || self.weight > self.most_weight)
            && let Some((number, (name, weight))) = self.order.pop_first()
        {
            self.weight -= weight;
            self.dropped += 1;
            if let Some(shelf) = self.shelves.get_mut(&name) {
                shelf.remove(&number);
                if shelf.is_empty() {
                    self.shelves.remove(&name);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_all_shelves_makes_room() {
        let mut ring = Ring::new(3, usize::MAX);
        for (number, name) in [(0, "a"), (1, "b"), (2, "a"), (3, "a"), (4, "b")] {
            ring.put(number, name, 1, number);
        }
        assert_eq!((ring.on("a"), ring.on("b"), ring.dropped()), (vec![2, 3], vec![4], 2));
    }

    #[test]
    fn heavy_things_make_room_too_but_the_last_one_stays() {
        let mut ring = Ring::new(10, 100);
        ring.put(0, "a", 60, 'x');
        ring.put(1, "a", 40, 'y');
        assert_eq!(ring.on("a"), ['x', 'y']);
        ring.weigh_down(1, 1);
        assert_eq!(ring.on("a"), ['y']);
        ring.weigh_down(1, 1_000);
        assert_eq!((ring.on("a"), ring.dropped()), (vec!['y'], 1));
        ring.weigh_down(0, usize::MAX);
        ring.put(2, "b", 1, 'z');
        assert_eq!((ring.on("a"), ring.on("b")), (vec![], vec!['z']));
    }

    #[test]
    fn what_is_taken_leaves_nothing_behind() {
        let mut ring = Ring::new(2, 10);
        for number in 0..100 {
            let name = number.to_string();
            ring.put(number, &name, 5, ());
            assert_eq!(ring.take(&name), [()]);
        }
        ring.put(100, "a", 5, ());
        ring.put(101, "a", 5, ());
        assert_eq!((ring.take("a").len(), ring.take("a").len(), ring.dropped()), (2, 0, 0));
        assert_eq!((ring.weight, ring.order.len(), ring.shelves.len()), (0, 0, 0));
    }

    #[test]
    fn dropped_things_leave_no_empty_shelves() {
        let mut ring = Ring::new(2, 10);
        for number in 0..100 {
            ring.put(number, &number.to_string(), 1, ());
        }
        assert_eq!((ring.shelves.len(), ring.order.len(), ring.weight), (2, 2, 2));
    }
}
