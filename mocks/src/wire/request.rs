//! Reading requests: HTTP/1 heads and bodies, kept byte for byte.

use fallproof_protocol::limits::MOST_BODY_BYTES;

use super::socket::ClientSocket;

/// Longer heads are refused.
const MOST_HEAD_BYTES: usize = 64 * 1024;

/// More headers are refused.
const MOST_HEADERS: usize = 256;

/// A request head.
#[derive(Debug, Default, Clone)]
pub(super) struct Head {
    /// As it came, up to and with the empty line.
    pub(super) raw: Vec<u8>,
    pub(super) method: String,
    /// The path and query, as sent.
    pub(super) target: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    /// The client will send another request on this connection.
    pub(super) keeps_alive: bool,
    /// It can read a chunked reply.
    pub(super) takes_chunks: bool,
    pub(super) expects_continue: bool,
    pub(super) framing: Framing,
}

/// How long a body is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    #[default]
    None,
    Length(u64),
    Chunked,
}

/// A body, freed of chunked coding.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// False where there was more than is taken; the connection is of no use then.
    pub(super) whole: bool,
}

/// Why there is no request.
#[derive(Debug)]
pub(super) enum Unread {
    /// The client left.
    Left,
    /// What it sent is not HTTP/1. Holds the status to answer, and what is wrong.
    Malformed(u16, &'static str),
}

/// Reads the next head; `None` where the client left between two requests.
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
            return if socket.unread().is_empty() { Ok(None) } else { Err(Unread::Left) };
        }
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<Head>, Unread> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(&bytes[..bytes.len().min(MOST_HEAD_BYTES)]) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Unread::Malformed(431, "there are more than 256 headers"));
        }
        Err(_) => return Err(Unread::Malformed(400, "this is not an HTTP/1 request")),
    };
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), header.value.to_vec()))
        .collect();
    let hosts = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")).count();
    // RFC 9112, section 3.2; HTTP/1.0 knows no host.
    if hosts > 1 || (hosts == 0 && request.version == Some(1)) {
        return Err(Unread::Malformed(400, "there is not exactly one host"));
    }
    let target = request.path.unwrap_or_default();
    Ok(Some(Head {
        raw: bytes[..length].to_vec(),
        method: request.method.unwrap_or_default().to_owned(),
        target: origin_form(target).to_owned(),
        keeps_alive: request.version == Some(1) && !has_token(&headers, "connection", "close"),
        takes_chunks: request.version == Some(1),
        expects_continue: has_token(&headers, "expect", "100-continue"),
        framing: framing(&headers)?,
        headers,
    }))
}

/// A server must take `http://host/path` too.
fn origin_form(target: &str) -> &str {
    let Some((scheme, rest)) = target.split_once("://") else { return target };
    if !matches!(scheme, "http" | "https") {
        return target;
    }
    rest.find(['/', '?']).map_or("/", |start| &rest[start..])
}

fn values<'a>(
    headers: &'a [(String, Vec<u8>)],
    name: &'a str,
) -> impl Iterator<Item = String> + 'a {
    headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).flat_map(|(_, value)| {
        let value = String::from_utf8_lossy(value).into_owned();
        value.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>()
    })
}

fn has_token(headers: &[(String, Vec<u8>)], name: &str, token: &str) -> bool {
    values(headers, name).any(|value| value.eq_ignore_ascii_case(token))
}

fn framing(headers: &[(String, Vec<u8>)]) -> Result<Framing, Unread> {
    let codings: Vec<_> = values(headers, "transfer-encoding").collect();
    let lengths: Vec<_> = values(headers, "content-length").collect();
    match (codings.as_slice(), lengths.as_slice()) {
        ([], []) => Ok(Framing::None),
        ([], [length, others @ ..]) => {
            let digits = length.bytes().all(|byte| byte.is_ascii_digit());
            match length.parse() {
                Ok(bytes) if digits && others.iter().all(|other| other == length) => {
                    Ok(Framing::Length(bytes))
                }
                _ => Err(Unread::Malformed(400, "the content-length is not one number")),
            }
        }
        ([coding], []) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        ([..], []) => Err(Unread::Malformed(501, "no transfer coding but chunked is known")),
        _ => Err(Unread::Malformed(400, "there is both a content-length and a transfer-encoding")),
    }
}

/// Reads the body that belongs to `head` into `body`: what was read is in there also where the
/// client left in the middle of it.
pub(super) async fn read_body(
    socket: &mut ClientSocket,
    head: &Head,
    body: &mut Body,
) -> Result<(), Unread> {
    if head.expects_continue && head.framing != Framing::None && socket.unread().is_empty() {
        socket.send(b"HTTP/1.1 100 Continue\r\n\r\n").await.map_err(|_| Unread::Left)?;
    }
    match head.framing {
        Framing::None => body.whole = true,
        Framing::Length(length) => {
            move_bytes(socket, length, &mut body.bytes).await?;
            body.whole = body.bytes.len() <= MOST_BODY_BYTES;
        }
        Framing::Chunked => {
            loop {
                let length = read_chunk_size(socket).await?;
                if length == 0 {
                    break;
                }
                move_bytes(socket, length, &mut body.bytes).await?;
                if body.bytes.len() > MOST_BODY_BYTES {
                    return Ok(());
                }
                if !read_line(socket).await?.is_empty() {
                    return Err(Unread::Malformed(400, "a chunk is longer than it says"));
                }
            }
            while !read_line(socket).await?.is_empty() {}
            body.whole = true;
        }
    }
    Ok(())
}

/// Moves so many bytes into the body, but stops one beyond the most that is taken.
async fn move_bytes(
    socket: &mut ClientSocket,
    length: u64,
    body: &mut Vec<u8>,
) -> Result<(), Unread> {
    let room = MOST_BODY_BYTES + 1 - body.len();
    let mut missing = usize::try_from(length).map_or(room, |length| length.min(room));
    loop {
        let ready = missing.min(socket.unread().len());
        body.extend(&socket.unread()[..ready]);
        socket.used(ready);
        missing -= ready;
        if missing == 0 {
            return Ok(());
        }
        fill(socket).await?;
    }
}

async fn read_chunk_size(socket: &mut ClientSocket) -> Result<u64, Unread> {
    loop {
        match httparse::parse_chunk_size(socket.unread()) {
            Ok(httparse::Status::Complete((used, size))) => {
                socket.used(used);
                return Ok(size);
            }
            Ok(httparse::Status::Partial) if socket.unread().len() < MOST_HEAD_BYTES => {
                fill(socket).await?;
            }
            _ => return Err(Unread::Malformed(400, "a chunk's size is not a number")),
        }
    }
}

/// A line without its end.
async fn read_line(socket: &mut ClientSocket) -> Result<Vec<u8>, Unread> {
    loop {
        if let Some(end) = socket.unread().windows(2).position(|pair| pair == b"\r\n") {
            let line = socket.unread()[..end].to_vec();
            socket.used(end + 2);
            return Ok(line);
        }
        if socket.unread().len() >= MOST_HEAD_BYTES {
            return Err(Unread::Malformed(400, "a line in the chunked body has no end"));
        }
        fill(socket).await?;
    }
}

async fn fill(socket: &mut ClientSocket) -> Result<(), Unread> {
    match socket.fill().await {
        Ok(1..) => Ok(()),
        Ok(0) | Err(_) => Err(Unread::Left),
    }
}
