//! Reads HTTP/1 requests and preserves them byte for byte.

use fallproof_protocol::http1::{
    self, BodyError, BodyReader, Framing, HeadError, Headers, Progress, RequestHead, Step, values,
};
use fallproof_protocol::limits::MOST_BODY_BYTES;

use super::socket::ClientSocket;

const MOST_HEAD_BYTES: usize = 64 * 1024;

#[derive(Debug, Default, Clone)]
pub(super) struct Head {
    /// As received, including the empty line.
    pub(super) raw: Vec<u8>,
    pub(super) method: String,
    /// The path and query, as sent.
    pub(super) target: String,
    pub(super) headers: Headers,
    /// Whether the connection stays open for another request.
    pub(super) keeps_alive: bool,
    /// Whether the client understands a chunked reply.
    pub(super) takes_chunks: bool,
    pub(super) expects_continue: bool,
    pub(super) framing: Framing,
}

/// A body without the chunk sizes of chunked coding.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// Whether the body was read completely. If it exceeds the limit, it was not, and the
    /// connection cannot be used for another request.
    pub(super) is_complete: bool,
}

/// Why a request could not be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The client disconnected.
    Disconnected,
    /// Not valid HTTP/1. Holds the status of the reply and the reason.
    Malformed(u16, &'static str),
}

/// Reads the next head. Returns `None` if the client disconnected between requests.
pub(super) async fn read_head(socket: &mut ClientSocket) -> Result<Option<Head>, Unread> {
    loop {
        if let Some(head) = parse_head(socket.unread())? {
            socket.used(head.raw.len());
            return Ok(Some(head));
        }
        if socket.unread().len() >= MOST_HEAD_BYTES {
            return Err(Unread::Malformed(431, "the request head is longer than 64 KiB"));
        }
        if matches!(socket.fill().await, Ok(0) | Err(_)) {
            return if socket.unread().is_empty() { Ok(None) } else { Err(Unread::Disconnected) };
        }
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<Head>, Unread> {
    let parsed = match http1::request_head(&bytes[..bytes.len().min(MOST_HEAD_BYTES)]) {
        Ok(parsed) => parsed,
        Err(HeadError::TooManyHeaders) => {
            return Err(Unread::Malformed(431, "there are more than 256 headers"));
        }
        Err(_) => return Err(Unread::Malformed(400, "this is not an HTTP/1 request")),
    };
    let Some(RequestHead { length, method, target, is_1_1, headers }) = parsed else {
        return Ok(None);
    };
    let hosts = values(&headers, "host").count();
    // See RFC 9112, section 3.2. HTTP/1.0 does not require `Host`.
    if hosts > 1 || (hosts == 0 && is_1_1) {
        return Err(Unread::Malformed(400, "there must be exactly one Host header"));
    }
    Ok(Some(Head {
        raw: bytes[..length].to_vec(),
        method,
        target: origin_form(&target).to_owned(),
        keeps_alive: is_1_1 && !has_token(&headers, "connection", "close"),
        takes_chunks: is_1_1,
        expects_continue: has_token(&headers, "expect", "100-continue"),
        framing: framing(&headers)?,
        headers,
    }))
}

/// The path and query of a request target. The target may also have the form `http://host/path`,
/// which a server must accept.
fn origin_form(target: &str) -> &str {
    let Some((scheme, rest)) = target.split_once("://") else { return target };
    if !matches!(scheme, "http" | "https") {
        return target;
    }
    rest.find(['/', '?']).map_or("/", |start| &rest[start..])
}

/// The items of all headers with this name. Each header is a comma-separated list.
fn items(headers: &Headers, name: &str) -> Vec<String> {
    let lists = values(headers, name).map(String::from_utf8_lossy);
    lists
        .flat_map(|list| list.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>())
        .collect()
}

fn has_token(headers: &Headers, name: &str, token: &str) -> bool {
    items(headers, name).iter().any(|item| item.eq_ignore_ascii_case(token))
}

fn framing(headers: &Headers) -> Result<Framing, Unread> {
    let (codings, lengths) =
        (items(headers, "transfer-encoding"), items(headers, "content-length"));
    match (codings.as_slice(), lengths.as_slice()) {
        ([], []) => Ok(Framing::None),
        ([], [length, others @ ..]) => {
            let digits = length.bytes().all(|byte| byte.is_ascii_digit());
            match length.parse() {
                Ok(bytes) if digits && others.iter().all(|other| other == length) => {
                    Ok(Framing::Length(bytes))
                }
                _ => Err(Unread::Malformed(400, "invalid content-length")),
            }
        }
        ([coding], []) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        ([..], []) => Err(Unread::Malformed(501, "only the chunked transfer coding is supported")),
        _ => Err(Unread::Malformed(400, "both content-length and transfer-encoding are set")),
    }
}

/// Reads the body that follows `head` into `body`. If the client disconnects, `body` holds the part
/// that was read.
pub(super) async fn read_body(
    socket: &mut ClientSocket,
    head: &Head,
    body: &mut Body,
) -> Result<(), Unread> {
    if head.expects_continue && head.framing != Framing::None && socket.unread().is_empty() {
        socket.send(b"HTTP/1.1 100 Continue\r\n\r\n").await.map_err(|_| Unread::Disconnected)?;
    }
    let mut reader = BodyReader::new(head.framing, MOST_BODY_BYTES);
    loop {
        let step = reader.advance(socket.unread(), &mut body.bytes);
        let Step { used, progress } = step.map_err(malformed)?;
        socket.used(used);
        match progress {
            Progress::Chunk => {}
            Progress::More => fill(socket).await?,
            Progress::Done => {
                body.is_complete = true;
                return Ok(());
            }
            Progress::TooLong => return Ok(()),
        }
    }
}

fn malformed(error: BodyError) -> Unread {
    let fault = match error {
        BodyError::ChunkSize | BodyError::EndlessChunkSize => "invalid chunk size",
        BodyError::ChunkTooLong => "a chunk is longer than its declared size",
        BodyError::EndlessLine => "a line in the chunked body is too long",
        BodyError::EndlessTrailers => "the chunked body has too many trailers",
    };
    Unread::Malformed(400, fault)
}

async fn fill(socket: &mut ClientSocket) -> Result<(), Unread> {
    match socket.fill().await {
        Ok(1..) => Ok(()),
        Ok(0) | Err(_) => Err(Unread::Disconnected),
    }
}
