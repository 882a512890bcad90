//! How a response says where its body ends, and what follows that end.

use super::{BodyReader, Framing, Headers, Progress, response_head, values};

/// Why the end of a response's body is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// A `content-length` is not a number.
    #[error("content-length is `{0}`")]
    NotALength(String),
    /// The response has two different lengths.
    #[error("two different content-lengths: {0} and {1}")]
    TwoLengths(u64, u64),
}

/// Returns how the end of a response's body is determined (RFC 9112, section 6.3). A transfer coding
/// overrides a length, and a body whose last coding is not `chunked` ends with the connection.
///
/// # Errors
/// The end of the body is unknown.
pub fn response_framing(status: u16, headers: &Headers) -> Result<Framing, FramingError> {
    if status == 204 || status == 304 {
        return Ok(Framing::None);
    }
    if let Some(last) = transfer_codings(headers).last() {
        return Ok(if last == CHUNKED { Framing::Chunked } else { Framing::UntilClose });
    }
    let mut length = None;
    for item in items(headers, "content-length") {
        let is_number = item.bytes().all(|byte| byte.is_ascii_digit());
        let Some(next) = item.parse().ok().filter(|_| is_number) else {
            return Err(FramingError::NotALength(item));
        };
        match length.replace(next) {
            Some(known) if known != next => return Err(FramingError::TwoLengths(known, next)),
            _ => {}
        }
    }
    Ok(length.map_or(Framing::UntilClose, Framing::Length))
}

/// The transfer coding that every recipient knows.
pub const CHUNKED: &str = "chunked";

/// The transfer codings of a message, in order and in lower case.
pub fn transfer_codings(headers: &Headers) -> Vec<String> {
    items(headers, "transfer-encoding").collect()
}

/// Returns the bytes that follow the end of the response at the start of `bytes`. Returns `None` if
/// the response is not complete, or not HTTP.
pub fn after_response(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    let framing = loop {
        let head = response_head(rest).ok()??;
        rest = &rest[head.length..];
        // Another head follows an interim response.
        if !(100..200).contains(&head.status) {
            break response_framing(head.status, &head.headers).ok()?;
        }
    };
    let (mut reader, mut body) = (BodyReader::new(framing, usize::MAX), Vec::new());
    loop {
        let step = reader.advance(rest, &mut body).ok()?;
        rest = &rest[step.used..];
        match step.progress {
            Progress::Done => return Some(rest),
            Progress::Chunk => body.clear(),
            Progress::More | Progress::TooLong => return None,
        }
    }
}

/// The items of a header whose value is a list, in lower case.
fn items<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = String> {
    values(headers, name).flat_map(|value| {
        let value = String::from_utf8_lossy(value).to_ascii_lowercase();
        value.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Status, headers and the framing that follows from them.
    type Case<'a> = (u16, &'a [(&'a str, &'a str)], Framing);

    fn framing(status: u16, headers: &[(&str, &str)]) -> Result<Framing, FramingError> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        response_framing(status, &headers.iter().map(owned).collect())
    }

    #[test]
    fn the_end_of_a_body_follows_from_status_coding_and_length() {
        let (length, coding) = ("Content-Length", "Transfer-Encoding");
        let cases: &[Case<'_>] = &[
            (200, &[], Framing::UntilClose),
            (200, &[(length, "5")], Framing::Length(5)),
            (200, &[(length, "5"), (length, "5")], Framing::Length(5)),
            (200, &[(length, " 5, 5 ")], Framing::Length(5)),
            (204, &[(length, "5")], Framing::None),
            (304, &[(coding, "chunked")], Framing::None),
            (500, &[(coding, "Chunked")], Framing::Chunked),
            (200, &[(coding, "chunked"), (length, "5")], Framing::Chunked),
            (200, &[(coding, "gzip, chunked")], Framing::Chunked),
            (200, &[(coding, "gzip"), (coding, "chunked")], Framing::Chunked),
            (200, &[(coding, "xchunked")], Framing::UntilClose),
            (200, &[(coding, "chunked, gzip"), (length, "5")], Framing::UntilClose),
        ];
        for (status, headers, wanted) in cases {
            assert_eq!(framing(*status, headers), Ok(*wanted), "{status} {headers:?}");
        }
    }

    #[test]
    fn a_length_that_is_unclear_is_an_error() {
        let length = |value| framing(200, &[("content-length", value)]);
        for wrong in ["+5", "-5", "0x5", "five", "5 5", "99999999999999999999"] {
            assert_eq!(length(wrong), Err(FramingError::NotALength(wrong.to_owned())));
        }
        assert_eq!(length(""), Err(FramingError::NotALength(String::new())));
        assert_eq!(length("5, 6"), Err(FramingError::TwoLengths(5, 6)));
        let two = framing(200, &[("content-length", "5"), ("Content-Length", "6")]);
        assert_eq!(two, Err(FramingError::TwoLengths(5, 6)));
    }

    #[test]
    fn bytes_after_a_response_are_what_its_framing_leaves() {
        const HEAD: &str = "HTTP/1.1 200 OK\r\n";
        let after = |rest: &str| {
            let bytes = format!("{HEAD}{rest}").into_bytes();
            after_response(&bytes).map(<[u8]>::to_vec)
        };
        let some = |rest: &str| Some(rest.as_bytes().to_vec());
        assert_eq!(after("content-length: 2\r\n\r\nabHTTP/1.1 200"), some("HTTP/1.1 200"));
        assert_eq!(after("content-length: 2\r\n\r\nab"), some(""));
        assert_eq!(after("content-length: 2\r\n\r\na"), None);
        let chunks = "transfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n";
        assert_eq!(after(&format!("{chunks}c")), some("c"));
        assert_eq!(after(&format!("\r\n{HEAD}{chunks}")), None, "the first head ends at once");
        assert_eq!(after("\r\nabc"), None, "the body ends with the connection");
        let interim = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No\r\n\r\nx";
        assert_eq!(after_response(interim.as_bytes()), Some(&b"x"[..]));
        let low = b"HTTP/1.1 099 No\r\ncontent-length: 1\r\n\r\nab";
        assert_eq!(after_response(low), Some(&b"b"[..]), "only 1xx is interim, as for the client");
        assert_eq!(after_response(b"SSH-2.0\r\n"), None);
    }
}
