//! Splits a stream, which arrives in chunks of any size, into server-sent events.
//!
//! Every block contains its bytes exactly as received.
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>

/// A piece of a stream that can be forwarded on its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The bytes as received.
    pub(crate) raw: Vec<u8>,
    /// The parsed event; `None` for a comment or an empty line.
    pub(crate) event: Option<Event>,
}

/// A parsed event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// The `event` field; empty if absent.
    pub(crate) name: Vec<u8>,
    /// The `data` fields, joined by line feeds.
    pub(crate) data: Vec<u8>,
}

/// Splits a stream into blocks.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    /// The bytes that were not returned yet, from the start of a block on.
    buffer: Vec<u8>,
    /// Offset of the first line that was not parsed yet.
    line: usize,
    /// Offset up to which the buffer was searched for the end of that line, without finding it.
    searched: usize,
    /// The event in the current block, from the lines that were parsed so far.
    event: Option<Event>,
    closed: bool,
}

impl Splitter {
    /// Appends received bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Marks the end of the stream, so that a carriage return as the last byte counts as a complete
    /// line end.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Number of bytes that were not returned yet.
    pub(crate) fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// Returns the next complete block. An event without an empty line after it is dropped, as the
    /// standard requires.
    pub(crate) fn next(&mut self) -> Option<Block> {
        while let Some((end, next)) = self.line_end() {
            let line = &self.buffer[self.line..end];
            let is_comment = line.starts_with(b":");
            let ends_block = line.is_empty() || (is_comment && self.event.is_none());
            if !ends_block && !is_comment {
                let event = self.event.get_or_insert_default();
                let (name, value) = field(line);
                match name {
                    b"event" => event.name = value.to_vec(),
                    b"data" => {
                        event.data.extend_from_slice(value);
                        event.data.push(b'\n');
                    }
                    _ => {}
                }
            }
            (self.line, self.searched) = (next, next);
            if ends_block {
                (self.line, self.searched) = (0, 0);
                let raw = self.buffer.drain(..next).collect();
                let event = self.event.take().filter(|event| !event.data.is_empty());
                let event = event.map(|mut event| {
                    event.data.pop();
                    event
                });
                return Some(Block { raw, event });
            }
        }
        None
    }

    /// The end of the current line and the start of the next line; `None` if the current line is
    /// incomplete.
    fn line_end(&mut self) -> Option<(usize, usize)> {
        let rest = &self.buffer[self.searched..];
        let Some(at) = memchr::memchr2(b'\r', b'\n', rest) else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = self.searched + at;
        match &rest[at..] {
            [b'\r', b'\n', ..] => Some((end, end + 2)),
            // The line feed of a CRLF may still follow.
            [b'\r'] if !self.closed => {
                self.searched = end;
                None
            }
            _ => Some((end, end + 1)),
        }
    }
}

/// Name and value of a field.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b':', line) {
        Some(colon) => {
            let value = &line[colon + 1..];
            (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
        }
        None => (line, &[]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// All blocks of a stream that arrives in pieces of this size.
    fn blocks(stream: &[u8], size: usize) -> Vec<Block> {
        let mut splitter = Splitter::default();
        let mut blocks = Vec::new();
        for piece in stream.chunks(size) {
            splitter.push(piece);
            blocks.extend(std::iter::from_fn(|| splitter.next()));
        }
        splitter.close();
        blocks.extend(std::iter::from_fn(|| splitter.next()));
        blocks
    }

    fn events_in(blocks: &[Block]) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let events = blocks.iter().filter_map(|block| block.event.as_ref());
        events.map(|event| (text(&event.name), text(&event.data))).collect()
    }

    #[rstest]
    #[case::data("data: a\n\n", &[("", "a")])]
    #[case::name("event: n\ndata: a\n\n", &[("n", "a")])]
    #[case::crlf("event: n\r\ndata: a\r\n\r\ndata: b\r\n\r\n", &[("n", "a"), ("", "b")])]
    #[case::lone_cr("event: n\rdata: a\r\rdata: b\r\r", &[("n", "a"), ("", "b")])]
    #[case::lines("data: a\ndata:\ndata:b\n\n", &[("", "a\n\nb")])]
    #[case::no_blank("data:  a\n\n", &[("", " a")])]
    #[case::comments(": hi\n\ndata: a\n: ho\ndata: b\n\n:\n", &[("", "a\nb")])]
    #[case::other_fields("id: 1\nretry: 5\ndata: a\nx\n\nid: 2\n\n", &[("", "a")])]
    #[case::utf_8("data: ü🦀\n\n", &[("", "ü🦀")])]
    #[case::no_end("data: a\n\ndata: b\n", &[("", "a")])]
    #[case::no_line_end("data: a", &[])]
    fn events_are_separated_wherever_they_are_split(
        #[case] stream: &str,
        #[case] events: &[(&str, &str)],
    ) {
        for size in 1..=stream.len() {
            let found = events_in(&blocks(stream.as_bytes(), size));
            let found: Vec<_> = found.iter().map(|(name, data)| (&**name, &**data)).collect();
            assert_eq!(found, events, "in pieces of {size}");
        }
    }

    #[test]
    fn a_comment_does_not_wait_for_an_event() {
        assert_eq!(blocks(b": still here\n", 5).len(), 1);
    }

    proptest! {
        #[test]
        fn blocks_contain_every_byte_up_to_the_last_complete_one(
            stream in "([dat:\r\n é]|data: |event: |\n\n|\r\n){0,40}",
            size in 1_usize..9,
        ) {
            let blocks = blocks(stream.as_bytes(), size);
            let joined: Vec<u8> = blocks.iter().flat_map(|block| block.raw.clone()).collect();
            prop_assert!(stream.as_bytes().starts_with(&joined));
            let unsplit = self::blocks(stream.as_bytes(), usize::MAX);
            prop_assert_eq!(events_in(&blocks), events_in(&unsplit));
        }
    }
}
