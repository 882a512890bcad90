//! Incremental parsing of HTTP/1 messages from a buffer. Nothing here reads a socket.

mod body;
mod framing;

use std::mem::MaybeUninit;

pub use self::body::{BodyError, BodyReader, Framing, Progress, Step};
pub use self::framing::{
    CHUNKED, FramingError, after_response, response_framing, transfer_codings,
};
pub use httparse::Error as HeadError;

/// Maximum number of headers in a head. Also the maximum number of trailer lines of a body.
pub const MOST_HEADERS: usize = 256;

/// Headers in the order sent. Names keep their spelling.
pub type Headers = Vec<(String, Vec<u8>)>;

/// The head of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestHead {
    /// Length in bytes, including the empty line.
    pub length: usize,
    /// The method.
    pub method: String,
    /// The request target, i.e. path and query, as sent.
    pub target: String,
    /// Whether the version is HTTP/1.1 rather than 1.0.
    pub is_1_1: bool,
    /// The headers.
    pub headers: Headers,
}

/// The head of a response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// Length in bytes, including the empty line.
    pub length: usize,
    /// The status code. After a status below 200, another head follows.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
}

/// Parses the request head at the start of `bytes`. Returns `None` if the head is incomplete.
///
/// # Errors
/// The head is not HTTP/1, or has too many headers.
pub fn request_head(bytes: &[u8]) -> Result<Option<RequestHead>, HeadError> {
    let mut headers = [MaybeUninit::uninit(); MOST_HEADERS];
    let mut request = httparse::Request::new(&mut []);
    let parsed = request.parse_with_uninit_headers(bytes, &mut headers)?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    Ok(Some(RequestHead {
        length,
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        is_1_1: request.version == Some(1),
        headers: owned(request.headers),
    }))
}

/// Parses the response head at the start of `bytes`. Returns `None` if the head is incomplete.
///
/// # Errors
/// The head is not HTTP/1, or has too many headers.
pub fn response_head(bytes: &[u8]) -> Result<Option<ResponseHead>, HeadError> {
    let mut headers = [MaybeUninit::uninit(); MOST_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut headers,
    )?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let status = response.code.unwrap_or_default();
    Ok(Some(ResponseHead { length, status, headers: owned(response.headers) }))
}

fn owned(headers: &[httparse::Header<'_>]) -> Headers {
    headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect()
}

/// The values of the header `name`, in the order sent. The name is case-insensitive.
pub fn values<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .iter()
        .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_head_is_complete_with_its_empty_line() {
        let bytes = b"POST /a?b HTTP/1.1\r\nHost: x\r\nX-y:  \xff z \r\n\r\nbody";
        let head = request_head(bytes).expect("HTTP").expect("complete");
        let headers =
            vec![("Host".to_owned(), b"x".to_vec()), ("X-y".to_owned(), b"\xff z".to_vec())];
        let (method, target) = ("POST".to_owned(), "/a?b".to_owned());
        let length = bytes.len() - 4;
        assert_eq!(head, RequestHead { length, method, target, is_1_1: true, headers });
        assert_eq!(values(&head.headers, "host").collect::<Vec<_>>(), [b"x"]);
        for end in 0..length {
            assert_eq!(request_head(&bytes[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn a_response_head_has_a_status() {
        let bytes = b"HTTP/1.1 299 <none>\r\na: b\r\n\r\n";
        let head = response_head(bytes).expect("HTTP").expect("complete");
        assert_eq!((head.status, head.length), (299, bytes.len()));
        assert_eq!(response_head(b"HTTP/1.1 200"), Ok(None));
    }

    #[test]
    fn bytes_that_are_not_http_are_an_error() {
        assert_eq!(request_head(b"SSH-2.0-OpenSSH\r\n"), Err(HeadError::Token));
        assert_eq!(response_head(b"SSH-2.0-OpenSSH\r\n"), Err(HeadError::Version));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(MOST_HEADERS + 1));
        assert_eq!(response_head(many.as_bytes()), Err(HeadError::TooManyHeaders));
    }
}
