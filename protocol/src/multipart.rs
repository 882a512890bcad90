//! Zero-copy parsing of `multipart/form-data` bodies (RFC 7578).

use memchr::memmem;

/// One field of a `multipart/form-data` request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormField<'a> {
    /// The `name` parameter of the field's `content-disposition`, e.g. `timestamp_granularities[]`.
    pub name: &'a str,
    /// The `filename` parameter, which marks a file.
    pub filename: Option<&'a str>,
    /// The content of the field.
    pub value: &'a [u8],
}

/// Maximum number of headers in a part.
const MOST_HEADERS: usize = 16;

/// Parses a body with this content type into its fields, in the order sent. Returns `None` if the
/// body is not a valid form.
pub fn read<'a>(content_type: &str, body: &'a [u8]) -> Option<Vec<FormField<'a>>> {
    let delimiter = format!("--{}", parameter(content_type, "boundary")?);
    let within = [b"\r\n", delimiter.as_bytes()].concat();
    // Text before the first delimiter is ignored.
    let mut rest = match body.strip_prefix(delimiter.as_bytes()) {
        Some(rest) => rest,
        None => split_at(body, &within)?.1,
    };
    let mut fields = Vec::new();
    while !rest.starts_with(b"--") {
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let part = rest[padding..].strip_prefix(b"\r\n")?;
        let (head, value) = head_and_rest(part)?;
        let (value, after) = split_at(value, &within)?;
        let disposition = head?;
        fields.push(FormField {
            name: parameter(disposition, "name")?,
            filename: parameter(disposition, "filename")
                .or_else(|| parameter(disposition, "filename*")),
            value,
        });
        rest = after;
    }
    Some(fields)
}

/// Splits a part of the form into its content disposition and the bytes after its headers.
fn head_and_rest(part: &[u8]) -> Option<(Option<&str>, &[u8])> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let httparse::Status::Complete((length, headers)) =
        httparse::parse_headers(part, &mut headers).ok()?
    else {
        return None;
    };
    let disposition =
        headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-disposition"));
    let disposition = disposition.and_then(|header| std::str::from_utf8(header.value).ok());
    Some((disposition, &part[length..]))
}

fn split_at<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::find(bytes, mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

/// The parameter `wanted` of a header such as `form-data; name="file"`. Escapes are not decoded.
fn parameter<'a>(header: &'a str, wanted: &str) -> Option<&'a str> {
    let (_, mut rest) = header.split_once(';')?;
    loop {
        let (name, after) = rest.split_once('=')?;
        let value;
        (value, rest) = if let Some(quoted) = after.strip_prefix('"') {
            let end = closing_quote(quoted)?;
            let after = &quoted[end + 1..];
            (&quoted[..end], after.split_once(';').map_or("", |(_, next)| next))
        } else {
            let (value, next) = after.split_once(';').unwrap_or((after, ""));
            (value.trim(), next)
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
    }
}

fn closing_quote(quoted: &str) -> Option<usize> {
    let mut escaped = false;
    quoted.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_distinguished_and_contents_preserved_byte_for_byte() {
        let body = b"ignored\r\n--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n\
            whisper-1\r\n--b \t\r\ncontent-type: audio/wav\r\n\
            content-disposition: form-data; filename=\"a;\\\"b\\\".wav\"; name=file\r\n\r\n\
            \x00\r\n--c\xff\r\n--b--\r\nignored";
        let fields = read("multipart/form-data; charset=x; boundary=\"b\"", body);
        let expected = [
            FormField { name: "model", filename: None, value: b"whisper-1" },
            FormField { name: "file", filename: Some("a;\\\"b\\\".wav"), value: b"\0\r\n--c\xff" },
        ];
        assert_eq!(fields.as_deref(), Some(&expected[..]));
        assert_eq!(read("multipart/form-data; boundary=b", b"--b--"), Some(vec![]));
    }

    #[test]
    fn an_invalid_form_is_none() {
        let broken: [&[u8]; 7] = [
            b"",
            b"{}",
            b"--b",
            b"--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nvalue",
            b"--b\r\ncontent-disposition: form-data\r\n\r\nvalue\r\n--b--",
            b"--b\r\n\r\nvalue\r\n--b--",
            b"--bcontent-disposition: form-data; name=a\r\n\r\nvalue\r\n--b--",
        ];
        for body in broken {
            assert_eq!(read("multipart/form-data; boundary=b", body), None);
        }
        assert_eq!(read("multipart/form-data", b"--b--"), None);
        assert_eq!(read("multipart/form-data; boundary=\"b", b"--b--"), None);
    }
}
