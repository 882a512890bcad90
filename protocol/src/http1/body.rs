//! Incremental reading of bodies that are delimited by a length, by chunked coding, or by the end
//! of the connection.

use memchr::memmem;

use super::MOST_HEADERS;

/// Maximum length of a chunk-size or trailer line, in bytes, including its end.
const LONGEST_LINE: usize = 64 * 1024;

/// How the end of a body is determined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    #[default]
    None,
    /// The body has this many bytes.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
    /// The body ends when the connection ends.
    UntilClose,
}

/// Incremental reader of a body.
#[derive(Debug)]
pub struct BodyReader {
    state: State,
    most: usize,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Length(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    /// Holds the number of trailer lines read so far.
    Trailers(usize),
    UntilClose,
    Done,
}

/// State of the body after one call to [`BodyReader::advance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    More,
    /// A chunk is complete. Call again, even without new bytes.
    Chunk,
    /// The body is complete.
    Done,
    /// The body exceeds the limit. Reading has stopped one byte beyond the limit.
    TooLong,
}

/// What one call to [`BodyReader::advance`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Number of bytes consumed from the start of the buffer.
    pub used: usize,
    /// State of the body after the call.
    pub progress: Progress,
}

/// Why a chunked body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The chunk size is not a number.
    #[error("invalid chunk size")]
    ChunkSize,
    /// The chunk-size line is too long.
    #[error("chunk-size line too long")]
    EndlessChunkSize,
    /// A chunk is not followed by a line end.
    #[error("chunk longer than its declared size")]
    ChunkTooLong,
    /// A trailer line is too long.
    #[error("trailer line too long")]
    EndlessLine,
    /// There are too many trailer lines.
    #[error("too many trailers")]
    EndlessTrailers,
}

impl BodyReader {
    /// Creates a reader for a body of at most `most` bytes.
    pub fn new(framing: Framing, most: usize) -> Self {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, most }
    }

    /// Number of bytes still missing from the body or from the current chunk; 0 if unknown.
    pub fn missing(&self) -> u64 {
        match self.state {
            State::Length(left) | State::Chunk(left) => left,
            _ => 0,
        }
    }

    /// Reads `bytes`, but not beyond the end of a chunk, and appends the decoded bytes to `body`.
    ///
    /// # Errors
    /// The chunked coding is invalid.
    pub fn advance(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> Result<Step, BodyError> {
        let mut used = 0;
        let progress = loop {
            let rest = &bytes[used..];
            match self.state {
                State::Done => break Progress::Done,
                State::UntilClose => {
                    used += self.take(rest, u64::MAX, body);
                    break self.or_too_long(Progress::More, body);
                }
                State::Length(left) => {
                    let taken = self.take(rest, left, body);
                    used += taken;
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::Done } else { State::Length(left) };
                    let progress = if left == 0 { Progress::Done } else { Progress::More };
                    break self.or_too_long(progress, body);
                }
                State::Chunk(left) => {
                    let taken = self.take(rest, left, body);
                    used += taken;
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    let progress = if left == 0 { Progress::Chunk } else { Progress::More };
                    break self.or_too_long(progress, body);
                }
                // A line has the same limit whether it arrives in pieces or at once.
                State::ChunkSize => match httparse::parse_chunk_size(rest) {
                    Ok(httparse::Status::Complete((length, size))) if length <= LONGEST_LINE => {
                        used += length;
                        self.state =
                            if size == 0 { State::Trailers(0) } else { State::Chunk(size) };
                    }
                    Ok(httparse::Status::Partial) if rest.len() < LONGEST_LINE => {
                        break Progress::More;
                    }
                    Ok(_) => return Err(BodyError::EndlessChunkSize),
                    Err(_) => return Err(BodyError::ChunkSize),
                },
                State::ChunkEnd => match rest {
                    [b'\r', b'\n', ..] => {
                        used += 2;
                        self.state = State::ChunkSize;
                    }
                    [] | [b'\r'] => break Progress::More,
                    _ => return Err(BodyError::ChunkTooLong),
                },
                State::Trailers(lines) => match memmem::find(rest, b"\r\n") {
                    Some(0) => {
                        used += 2;
                        self.state = State::Done;
                    }
                    Some(end) if end + 2 > LONGEST_LINE => return Err(BodyError::EndlessLine),
                    Some(_) if lines == MOST_HEADERS => return Err(BodyError::EndlessTrailers),
                    Some(end) => {
                        used += end + 2;
                        self.state = State::Trailers(lines + 1);
                    }
                    None if rest.len() >= LONGEST_LINE => return Err(BodyError::EndlessLine),
                    None => break Progress::More,
                },
            }
        };
        Ok(Step { used, progress })
    }

    /// Appends at most `left` of these bytes to `body`, and returns their number. Stops one byte
    /// beyond the limit.
    fn take(&self, bytes: &[u8], left: u64, body: &mut Vec<u8>) -> usize {
        let room = self.most.saturating_add(1).saturating_sub(body.len());
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let taken = bytes.len().min(left).min(room);
        body.extend_from_slice(&bytes[..taken]);
        taken
    }

    fn or_too_long(&self, progress: Progress, body: &[u8]) -> Progress {
        if body.len() > self.most { Progress::TooLong } else { progress }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads these pieces one after the other. Returns the last progress, the body, the bytes that
    /// were not consumed, and the number of complete chunks.
    fn read(
        framing: Framing,
        most: usize,
        pieces: &[&[u8]],
    ) -> Result<(Progress, Vec<u8>, Vec<u8>, usize), BodyError> {
        let mut reader = BodyReader::new(framing, most);
        let (mut unread, mut body, mut chunks) = (Vec::new(), Vec::new(), 0);
        let mut last = Progress::More;
        for piece in pieces {
            unread.extend_from_slice(piece);
            loop {
                let Step { used, progress } = reader.advance(&unread, &mut body)?;
                unread.drain(..used);
                last = progress;
                match progress {
                    Progress::Chunk => chunks += 1,
                    Progress::More => break,
                    Progress::Done | Progress::TooLong => return Ok((last, body, unread, chunks)),
                }
            }
        }
        Ok((last, body, unread, chunks))
    }

    const CHUNKED: &[u8] = b"3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nsum: 1\r\n\r\nnext";

    #[test]
    fn chunks_are_joined_wherever_the_bytes_are_split() {
        for at in 0..CHUNKED.len() {
            let (one, other) = CHUNKED.split_at(at);
            let (progress, body, mut rest, chunks) =
                read(Framing::Chunked, 100, &[one, other]).expect("chunks");
            assert_eq!(
                (progress, body.as_slice(), chunks),
                (Progress::Done, &b"abc0123456789"[..], 2)
            );
            if at >= CHUNKED.len() - 4 {
                rest.extend(other);
            }
            assert_eq!(rest, b"next", "{at}");
        }
        let bytes: Vec<_> = CHUNKED.chunks(1).collect();
        let (progress, body, ..) = read(Framing::Chunked, 100, &bytes).expect("chunks");
        assert_eq!((progress, body.as_slice()), (Progress::Done, &b"abc0123456789"[..]));
    }

    #[test]
    fn a_body_ends_by_its_length_or_with_the_connection() {
        let length = |length| read(Framing::Length(length), 100, &[b"ab", b"cd"]);
        assert_eq!(length(3), Ok((Progress::Done, b"abc".to_vec(), b"d".to_vec(), 0)));
        assert_eq!(length(5), Ok((Progress::More, b"abcd".to_vec(), vec![], 0)));
        assert_eq!(length(0), Ok((Progress::Done, vec![], b"ab".to_vec(), 0)));
        let none = read(Framing::None, 100, &[b"ab"]);
        assert_eq!(none, Ok((Progress::Done, vec![], b"ab".to_vec(), 0)));
        let close = read(Framing::UntilClose, 100, &[b"ab", b"cd"]);
        assert_eq!(close, Ok((Progress::More, b"abcd".to_vec(), vec![], 0)));
    }

    #[test]
    fn reading_stops_one_byte_beyond_the_limit() {
        for framing in [Framing::Length(9), Framing::UntilClose] {
            let (progress, body, ..) = read(framing, 3, &[b"ab", b"cdefghi"]).expect("bytes");
            assert_eq!((progress, body.as_slice()), (Progress::TooLong, &b"abcd"[..]));
        }
        let (progress, body, ..) = read(Framing::Chunked, 3, &[b"9\r\nabcdefghi\r\n"]).expect("ok");
        assert_eq!((progress, body.as_slice()), (Progress::TooLong, &b"abcd"[..]));
    }

    #[test]
    fn the_number_of_missing_bytes_is_known() {
        let mut reader = BodyReader::new(Framing::Chunked, 100);
        assert_eq!(reader.missing(), 0);
        let step = reader.advance(b"ff\r\nab", &mut Vec::new()).expect("a chunk");
        assert_eq!((step.progress, reader.missing()), (Progress::More, 253));
    }

    #[test]
    fn invalid_chunked_coding_is_an_error() {
        let error = |bytes: &[u8]| read(Framing::Chunked, 100, &[bytes]).expect_err("no chunks");
        assert_eq!(error(b"x\r\n"), BodyError::ChunkSize);
        assert_eq!(error(b"1\r\nab\r\n"), BodyError::ChunkTooLong);
        assert_eq!(
            error(&[b"1;".as_slice(), &vec![b'x'; LONGEST_LINE]].concat()),
            BodyError::EndlessChunkSize
        );
        let long = [b"0\r\n".as_slice(), &vec![b'x'; LONGEST_LINE]].concat();
        assert_eq!(error(&long), BodyError::EndlessLine);
        let many = [b"0\r\n".as_slice(), &b"a: b\r\n".repeat(MOST_HEADERS + 1)].concat();
        assert_eq!(error(&many), BodyError::EndlessTrailers);
    }
}
