//! What holds for the readers of HTTP/1 heads and bodies.

use fallproof_protocol::http1::{
    BodyReader, Framing, Headers, Progress, after_response, request_head, response_framing,
    response_head,
};

/// Inputs up to this length are also read byte by byte, which takes the square of the length.
const SHORT: usize = 512;

/// What was read of a response.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    status: u16,
    headers: Headers,
    framing: Framing,
    body: Vec<u8>,
    progress: Progress,
    /// Number of bytes of heads and body.
    used: usize,
}

/// Checks everything that holds for these bytes.
pub(crate) fn check(bytes: &[u8]) {
    head_is_read_back(bytes);
    let piece = if bytes.len() <= SHORT { 1 } else { bytes.len() / 64 };
    let ends: Vec<_> = (0..bytes.len()).step_by(piece).collect();
    for most in [3, 4096, usize::MAX] {
        pieces_make_no_difference(bytes, &ends, most);
    }
    rest_follows_the_response(bytes);
}

/// Checks that a response is the same in pieces that end at these positions as in one piece, and that
/// its body does not exceed the limit by more than one byte.
pub(crate) fn pieces_make_no_difference(bytes: &[u8], ends: &[usize], most: usize) {
    let whole = read(bytes, &[], most);
    if let Ok(Some(read)) = &whole {
        assert!(read.used <= bytes.len(), "{read:?}");
        assert!(read.body.len() <= most.saturating_add(1), "{read:?}");
        assert_eq!(read.progress == Progress::TooLong, read.body.len() > most, "{read:?}");
    }
    assert_eq!(read(bytes, ends, most), whole, "in pieces that end at {ends:?}");
}

/// Reads a response that arrives in pieces that end at these positions and at its end. Returns `None`
/// if its head is incomplete.
fn read(bytes: &[u8], ends: &[usize], most: usize) -> Result<Option<Read>, String> {
    let mut ends = ends.iter().copied().filter(|end| *end < bytes.len()).chain([bytes.len()]);
    let (mut end, mut used) = (ends.next().unwrap_or_default(), 0);
    let (status, headers) = loop {
        match response_head(&bytes[used..end]).map_err(|error| error.to_string())? {
            Some(head) => {
                assert!(head.length <= end - used, "{head:?} in {} bytes", end - used);
                used += head.length;
                if !(100..200).contains(&head.status) {
                    break (head.status, head.headers);
                }
            }
            None => match ends.next() {
                Some(next) => end = next.max(end),
                None => return Ok(None),
            },
        }
    };
    let framing = response_framing(status, &headers).map_err(|error| error.to_string())?;
    let (mut reader, mut body) = (BodyReader::new(framing, most), Vec::new());
    loop {
        let before = (used, body.len());
        let step = reader.advance(&bytes[used..end], &mut body);
        let step = step.map_err(|error| error.to_string())?;
        used += step.used;
        assert!(used <= end, "{step:?} uses more than there is");
        assert!(body.len() - before.1 <= step.used, "{step:?} adds bytes that were not sent");
        let progress = step.progress;
        match progress {
            Progress::Chunk => assert!(used > before.0, "an empty chunk could repeat forever"),
            Progress::More => match ends.next() {
                Some(next) => end = next.max(end),
                None => return Ok(Some(Read { status, headers, framing, body, progress, used })),
            },
            Progress::Done | Progress::TooLong => {
                return Ok(Some(Read { status, headers, framing, body, progress, used }));
            }
        }
    }
}

/// Checks that `after_response` returns what the reader leaves.
fn rest_follows_the_response(bytes: &[u8]) {
    let read = read(bytes, &[], usize::MAX).ok().flatten();
    let rest = read.filter(|read| read.progress == Progress::Done).map(|read| &bytes[read.used..]);
    assert_eq!(after_response(bytes), rest);
}

/// Checks that a head that could be read is read again as the same when it is written plainly.
fn head_is_read_back(bytes: &[u8]) {
    if let Ok(Some(mut head)) = request_head(bytes) {
        assert!(head.length <= bytes.len(), "{head:?}");
        let version = if head.is_1_1 { "1.1" } else { "1.0" };
        let first = format!("{} {} HTTP/{version}", head.method, head.target);
        let written = written(&first, &head.headers);
        head.length = written.len();
        assert_eq!(request_head(&written), Ok(Some(head)), "{}", written.escape_ascii());
    }
    if let Ok(Some(mut head)) = response_head(bytes) {
        assert!(head.length <= bytes.len(), "{head:?}");
        let written = written(&format!("HTTP/1.1 {:03} x", head.status), &head.headers);
        head.length = written.len();
        assert_eq!(response_head(&written), Ok(Some(head)), "{}", written.escape_ascii());
    }
}

/// The bytes of a head with this first line.
pub(crate) fn written(first: &str, headers: &Headers) -> Vec<u8> {
    let mut bytes = format!("{first}\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes
}
