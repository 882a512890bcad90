//! Content codings: compression of request and response bodies.
//!
//! <https://www.rfc-editor.org/rfc/rfc9110#section-8.4>

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http1::{Headers, values};

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// `gzip`
    Gzip,
}

impl Coding {
    /// The coding's name in `content-encoding` and `accept-encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
        }
    }
}

/// The first bytes of all gzip data.
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// Compresses these pieces as one gzip stream, so that the receiver can decompress each piece as
/// soon as it arrives. Returns the compressed pieces.
pub fn packed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut packed = Vec::new();
    for piece in pieces {
        let written = encoder.write_all(piece).and_then(|()| encoder.flush());
        written.expect("a vector takes all bytes");
        packed.push(std::mem::take(encoder.get_mut()));
    }
    let end = encoder.finish().expect("a vector takes all bytes");
    match packed.last_mut() {
        Some(last) => last.extend(end),
        None => packed.push(end),
    }
    packed
}

/// Decompresses gzip data and returns at most `most` bytes. If the data is cut off, returns the
/// bytes before the cut. Returns `None` if the data is not valid gzip.
pub fn unpacked(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    if !is_packed(bytes) {
        return None;
    }
    let mut plain = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    match MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut plain) {
        Ok(_) => Some(plain),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Some(plain),
        Err(_) => None,
    }
}

/// Whether these bytes begin like gzip data.
pub fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP)
}

/// The codings in the `content-encoding` headers, in lower case and without `identity`.
pub fn codings(headers: &Headers) -> Vec<String> {
    let mut codings = list(headers, "content-encoding");
    codings.retain(|coding| coding != "identity");
    codings.iter().map(|coding| canonical(coding).to_owned()).collect()
}

/// The usual name of a coding: `x-gzip` is another name of `gzip`.
fn canonical(coding: &str) -> &str {
    if coding == "x-gzip" { Coding::Gzip.name() } else { coding }
}

/// Whether gzip is the only content coding in these headers.
pub fn is_gzip(headers: &Headers) -> bool {
    matches!(&codings(headers)[..], [coding] if coding == Coding::Gzip.name())
}

/// Whether these request headers accept this coding; `None` if they have no `accept-encoding`.
pub fn accepts(headers: &Headers, coding: &str) -> Option<bool> {
    let accepted = list(headers, "accept-encoding");
    if accepted.is_empty() {
        return None;
    }
    let weight = |name: &str| {
        accepted.iter().find_map(|item| {
            let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
            let weight = parameters.trim().strip_prefix("q=");
            let is_wanted = weight.and_then(|it| it.parse::<f32>().ok()).is_none_or(|it| it > 0.0);
            (canonical(coding.trim()) == name).then_some(is_wanted)
        })
    };
    Some(weight(coding).or_else(|| weight("*")).unwrap_or(false))
}

/// The items of a list header, in lower case.
fn list(headers: &Headers, name: &str) -> Vec<String> {
    let lists = values(headers, name).map(|list| String::from_utf8_lossy(list).to_lowercase());
    let items = |list: String| list.split(',').map(|it| it.trim().to_owned()).collect::<Vec<_>>();
    lists.flat_map(items).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &str, value: &str) -> Headers {
        vec![(name.to_owned(), value.into())]
    }

    #[test]
    fn each_packed_piece_can_be_unpacked_when_it_arrives() {
        let pieces: [&[u8]; 3] = [b"data: 1\n\n", b"", b"data: 2\n\n"];
        let packed = packed(pieces);
        let (mut arrived, mut plain) = (Vec::new(), Vec::new());
        for (piece, packed) in pieces.iter().zip(&packed) {
            arrived.extend_from_slice(packed);
            plain.extend_from_slice(piece);
            assert_eq!(unpacked(&arrived, 100).as_deref(), Some(&*plain));
        }
        assert_eq!(unpacked(&arrived, 7).as_deref(), Some(&b"data: 1"[..]));
    }

    #[test]
    fn other_bytes_are_not_unpacked() {
        assert_eq!(unpacked(b"{}", 100), None);
        assert_eq!(unpacked(b"\x1f\x8b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff{}", 100), None);
    }

    #[test]
    fn what_a_client_accepts_is_read_from_its_header() {
        let accepts = |value| accepts(&headers("Accept-Encoding", value), "gzip");
        assert_eq!(accepts(""), None);
        for taken in ["gzip", "br, GZIP;q=0.5", "*", "br;q=1, *;q=0.1", "x-gzip"] {
            assert_eq!(accepts(taken), Some(true), "{taken}");
        }
        for refused in ["identity", "gzip;q=0", "*;q=0", "br", "gzip;q=0, *", "X-Gzip;q=0, *"] {
            assert_eq!(accepts(refused), Some(false), "{refused}");
        }
    }

    #[test]
    fn the_codings_of_a_body_are_read_from_its_header() {
        let is_gzip = |value| is_gzip(&headers("content-encoding", value));
        assert!(is_gzip("gzip") && is_gzip("identity, x-gzip") && is_gzip("GZip"));
        assert_eq!(codings(&headers("content-encoding", "X-GZIP")), ["gzip"]);
        assert!(!is_gzip("identity") && !is_gzip("br") && !is_gzip("gzip, gzip"));
    }
}
