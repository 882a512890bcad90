//! Content codings: compression of request and response bodies.
//!
//! <https://www.rfc-editor.org/rfc/rfc9110#section-8.4>

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http1::{Headers, values};

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// `gzip`
    Gzip,
    /// `zstd`
    Zstd,
}

impl Coding {
    const ALL: [Self; 2] = [Self::Gzip, Self::Zstd];

    /// The coding's name in `content-encoding` and `accept-encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The coding of this data, as its first bytes show.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|coding| bytes.starts_with(coding.first_bytes()))
    }

    /// The only content coding in these headers, if it is one of these.
    pub fn in_headers(headers: &Headers) -> Option<Self> {
        let codings = codings(headers);
        let [coding] = &codings[..] else { return None };
        Self::ALL.into_iter().find(|it| coding.strip_prefix("x-").unwrap_or(coding) == it.name())
    }

    /// The first bytes of all data in this coding.
    fn first_bytes(self) -> &'static [u8] {
        match self {
            Self::Gzip => &[0x1f, 0x8b, 8],
            Self::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
        }
    }

    /// Compresses these pieces as one stream, so that the receiver can decompress each piece as soon
    /// as it arrives. Returns the compressed pieces.
    pub fn packed<'a>(self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
        match self {
            Self::Gzip => gzip(pieces),
            // Each piece is a frame.
            Self::Zstd => pieces
                .into_iter()
                .map(|it| compress_to_vec(it, CompressionLevel::Fastest))
                .collect(),
        }
    }
}

fn gzip<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
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

/// Decompresses data and returns at most `most` bytes. If the data is cut off, returns the bytes
/// before the cut. Returns `None` if the data is in no [`Coding`].
pub fn unpacked(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    match Coding::of(bytes)? {
        Coding::Gzip => gunzip(bytes, most),
        Coding::Zstd => unpacked_frames(bytes, most),
    }
}

fn gunzip(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    match MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut plain) {
        Ok(_) => Some(plain),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Some(plain),
        Err(_) => None,
    }
}

/// Decompresses zstd frames. The decoder does not tell a cut from other damage.
fn unpacked_frames(mut bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    while !bytes.is_empty() && plain.len() < most {
        let limit = u64::try_from(most - plain.len()).unwrap_or(u64::MAX);
        let frame = StreamingDecoder::new(&mut bytes).ok().map(|frame| frame.take(limit));
        if frame.is_none_or(|mut frame| frame.read_to_end(&mut plain).is_err()) {
            return (!plain.is_empty()).then_some(plain);
        }
    }
    Some(plain)
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

    fn each_piece_can_be_unpacked(coding: Coding) {
        let pieces: [&[u8]; 3] = [b"data: 1\n\n", b"", b"data: 2\n\n"];
        let packed = coding.packed(pieces);
        assert_eq!(Coding::of(&packed[0]), Some(coding));
        let (mut arrived, mut plain) = (Vec::new(), Vec::new());
        for (piece, packed) in pieces.iter().zip(&packed) {
            arrived.extend_from_slice(packed);
            plain.extend_from_slice(piece);
            assert_eq!(unpacked(&arrived, 100).as_deref(), Some(&*plain));
        }
        assert_eq!(unpacked(&arrived, 7).as_deref(), Some(&b"data: 1"[..]));
    }

    #[test]
    fn each_packed_piece_can_be_unpacked_when_it_arrives() {
        Coding::ALL.into_iter().for_each(each_piece_can_be_unpacked);
    }

    #[test]
    fn other_bytes_are_not_unpacked() {
        assert_eq!(unpacked(b"{}", 100), None);
        assert_eq!(unpacked(b"\x1f\x8b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff{}", 100), None);
        assert_eq!(unpacked(b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff\xff{}", 100), None);
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

    /// A few kilobytes that unpack to many megabytes.
    #[test]
    fn a_bomb_is_unpacked_no_further_than_the_limit() {
        let zeros = vec![0; 32 << 20];
        for coding in [Coding::Gzip, Coding::Zstd] {
            let bomb = coding.packed([&*zeros]).concat();
            assert!(bomb.len() < zeros.len() / 100, "{}", bomb.len());
            for most in [0, 1, 100_000] {
                let plain = unpacked(&bomb, most).expect("it is packed");
                assert_eq!(plain.len(), most, "{}", coding.name());
            }
            // Many bombs, one after the other.
            let plain = unpacked(&bomb.repeat(3), 40 << 20).expect("it is packed");
            assert_eq!(plain.len(), 40 << 20, "{}", coding.name());
        }
    }

    #[test]
    fn the_codings_of_a_body_are_read_from_its_header() {
        let coding = |value| Coding::in_headers(&headers("content-encoding", value));
        for gzip in ["gzip", "identity, x-gzip", "GZip"] {
            assert_eq!(coding(gzip), Some(Coding::Gzip));
        }
        assert_eq!(coding("zstd"), Some(Coding::Zstd));
        for other in ["identity", "br", "gzip, gzip"] {
            assert_eq!(coding(other), None);
        }
        assert_eq!(codings(&headers("content-encoding", "X-GZIP")), ["gzip"]);
    }
}
