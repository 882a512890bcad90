//! Counts events as the bytes of a stream arrive.

/// Counts the complete events of a stream, piece by piece. The count is the same as for
/// [`events`](super::events) on all pieces joined.
#[derive(Debug, Clone, Default)]
pub struct EventCounter {
    events: usize,
    /// Whether the current event has a `data` field.
    has_data: bool,
    /// The first bytes of the current line, and its length.
    line: [u8; 5],
    length: usize,
    /// Whether the last byte was a CR. An LF right after a CR does not end another line.
    after_cr: bool,
}

impl EventCounter {
    /// Reads the next piece and returns the number of complete events so far.
    pub fn push(&mut self, piece: &[u8]) -> usize {
        for &byte in piece {
            match byte {
                b'\n' if self.after_cr => {}
                b'\r' | b'\n' => self.end_line(),
                _ => {
                    if let Some(start) = self.line.get_mut(self.length) {
                        *start = byte;
                    }
                    self.length += 1;
                }
            }
            self.after_cr = byte == b'\r';
        }
        self.events
    }

    fn end_line(&mut self) {
        match self.length {
            0 => {
                self.events += usize::from(self.has_data);
                self.has_data = false;
            }
            4 => self.has_data |= self.line.starts_with(b"data"),
            5.. => self.has_data |= self.line == *b"data:",
            _ => {}
        }
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sse::events;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_count_is_the_number_of_events_however_the_bytes_are_split(
            pieces in prop::collection::vec("((data|data:|dat|event:|x|:)?[\r\n]{0,3}){0,4}", 0..6),
        ) {
            let (mut counter, mut all) = (EventCounter::default(), Vec::new());
            for piece in pieces {
                all.extend(piece.bytes());
                prop_assert_eq!(counter.push(piece.as_bytes()), events(&all).len());
            }
        }
    }
}
