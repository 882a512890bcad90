//! Parsing of a form (`multipart/form-data`, <https://www.rfc-editor.org/rfc/rfc7578>).

use std::str;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use memchr::memmem;

use super::{BadBody, ClientBody, RequestHints, span};

/// Maximum number of headers in a part.
const MOST_HEADERS: usize = 16;

impl ClientBody {
    /// Parses a form. The boundary comes from the headers. If several fields have the same name,
    /// the last one counts.
    pub(crate) fn form(bytes: Bytes, headers: &HeaderMap) -> Result<Self, BadBody> {
        let content_type = headers.get(CONTENT_TYPE).ok_or(BadBody::NotAForm)?.as_bytes();
        let boundary = boundary(content_type).ok_or(BadBody::NotAForm)?;
        let mut models = Vec::new();
        let mut hints = RequestHints::default();
        for (name, value) in fields(&bytes, boundary).ok_or(BadBody::NotAForm)? {
            let text = || str::from_utf8(value).ok().map(str::to_owned);
            match name {
                b"model" => models.push(value),
                // Python clients write `True`.
                b"stream" => hints.stream = matches!(value, b"true" | b"True" | b"1"),
                b"response_format" => hints.response_format = text(),
                _ => {}
            }
        }
        let last = models.last().ok_or(BadBody::NoModel)?;
        let model = str::from_utf8(last).map_err(|_| BadBody::NotAForm)?.to_owned();
        let spans = models.iter().map(|value| span(value, &bytes)).collect();
        Ok(Self { bytes, model, spans, is_json: false, hints })
    }
}

fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let mut parts = parameters(content_type);
    let is_form = parts.next()?.eq_ignore_ascii_case(b"multipart/form-data");
    let boundary = parts.find_map(|part| named(part, b"boundary"))?;
    (is_form && !boundary.is_empty()).then_some(boundary)
}

/// Names and values of all fields; `None` if the form is malformed.
fn fields<'a>(body: &'a [u8], boundary: &[u8]) -> Option<Vec<(&'a [u8], &'a [u8])>> {
    let mut fields = Vec::new();
    let mut delimiters = delimiters(body, boundary);
    let mut delimiter = delimiters.next()?;
    while let Some(next) = delimiter.next {
        let following = delimiters.next()?;
        let inside = body.get(next..following.start)?;
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let parsed = httparse::parse_headers(inside, &mut headers).ok()?;
        let httparse::Status::Complete((head, headers)) = parsed else { return None };
        let disposition =
            headers.iter().find(|it| it.name.eq_ignore_ascii_case("content-disposition"));
        let name = disposition
            .and_then(|header| parameters(header.value).find_map(|part| named(part, b"name")));
        fields.push((name.unwrap_or_default(), &inside[head..]));
        delimiter = following;
    }
    Some(fields)
}

/// A delimiter between two parts, or after the last part.
struct Delimiter {
    /// Where the preceding part ends.
    start: usize,
    /// Where the following part begins; `None` for the last delimiter.
    next: Option<usize>,
}

/// The delimiters in order: two hyphens and the boundary, alone on a line.
fn delimiters(body: &[u8], boundary: &[u8]) -> impl Iterator<Item = Delimiter> {
    let line = [b"--", boundary].concat();
    let length = line.len();
    let found: Vec<_> = memmem::find_iter(body, &line).collect();
    found.into_iter().filter_map(move |at| {
        // The preceding line end is part of the delimiter.
        let start = match &body[..at] {
            [] => 0,
            [.., b'\r', b'\n'] => at - 2,
            _ => return None,
        };
        let rest = &body[at + length..];
        if rest.starts_with(b"--") {
            return Some(Delimiter { start, next: None });
        }
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let next = at + length + blanks + 2;
        rest[blanks..].starts_with(b"\r\n").then_some(Delimiter { start, next: Some(next) })
    })
}

/// Splits a header value at unquoted semicolons, and trims the parts.
fn parameters(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let mut escaped = false;
    let parts = value.split(move |byte| {
        let is_escaped = escaped;
        escaped = quoted && *byte == b'\\' && !is_escaped;
        quoted ^= *byte == b'"' && !is_escaped;
        *byte == b';' && !quoted
    });
    parts.map(<[u8]>::trim_ascii)
}

/// The value in `name=value`, without quotes; `None` if the part has another name.
fn named<'a>(part: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, rest) = part.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b"=").filter(|_| found.eq_ignore_ascii_case(name))?;
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Some(unquoted.unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const CONTENT_TYPE_X: &str = "multipart/form-data; boundary=x";

    fn parse(content_type: &str, body: &[u8]) -> Result<ClientBody, BadBody> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().expect("a header value"));
        ClientBody::form(Bytes::copy_from_slice(body), &headers)
    }

    /// A form with these fields and the boundary `x`.
    fn form(fields: &[(&str, &str)]) -> String {
        let part = |(disposition, value): &(&str, &str)| {
            format!("--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n")
        };
        fields.iter().map(part).collect::<String>() + "--x--\r\n"
    }

    const MODEL: (&str, &str) = ("name=\"model\"", "MODEL");

    #[rstest]
    #[case::alone(&[MODEL])]
    #[case::among_others(&[("name=\"file\"; filename=\"a.wav\"", "RIFF\r\n\r\n--xy\n--x\r"), MODEL, ("name=a", "")])]
    #[case::no_quotes(&[("name=model", "MODEL")])]
    #[case::twice(&[MODEL, ("name=\"n\"", "1"), MODEL])]
    #[case::in_a_file_name(&[("name=\"f\"; filename=\"a\\\"; name=model\"", "x"), MODEL])]
    #[case::as_a_value(&[("name=\"prompt\"", "name=\"model\"\r\n\r\nmodel"), MODEL])]
    #[case::other_case(&[("name=\"Model\"", "x"), MODEL])]
    fn only_the_value_of_model_changes(#[case] fields: &[(&str, &str)]) {
        let form = form(fields);
        let body = parse(CONTENT_TYPE_X, form.as_bytes()).expect("a form with a model");
        assert_eq!(body.model, "MODEL");
        assert_eq!(body.with_model("five"), form.replace("MODEL", "five"));
    }

    #[rstest]
    #[case("multipart/form-data; boundary=x")]
    #[case("Multipart/Form-Data; charset=utf-8 ;BOUNDARY=\"x\"")]
    fn a_boundary_is_found_however_it_is_written(#[case] content_type: &str) {
        let form = form(&[MODEL]);
        assert!(parse(content_type, form.as_bytes()).is_ok());
        assert!(parse(content_type, format!("preamble\r\n{form}epilogue").as_bytes()).is_ok());
        assert!(parse(content_type, form.replace("--x\r", "--x \t\r").as_bytes()).is_ok());
    }

    #[rstest]
    #[case::json("application/json", "{}", BadBody::NotAForm)]
    #[case::no_boundary("multipart/form-data", "--x--", BadBody::NotAForm)]
    #[case::empty_boundary("multipart/form-data; boundary=", "----", BadBody::NotAForm)]
    #[case::another_kind("multipart/mixed; boundary=x", "--x--", BadBody::NotAForm)]
    #[case::nothing(CONTENT_TYPE_X, "", BadBody::NotAForm)]
    #[case::another_boundary(CONTENT_TYPE_X, "--y--", BadBody::NotAForm)]
    #[case::no_end(CONTENT_TYPE_X, "--x\r\n\r\na\r\n", BadBody::NotAForm)]
    #[case::no_blank_line(CONTENT_TYPE_X, "--x\r\na: b\r\n--x--", BadBody::NotAForm)]
    #[case::overlapping(CONTENT_TYPE_X, "--x\r\n--x--", BadBody::NotAForm)]
    #[case::empty(CONTENT_TYPE_X, "--x--", BadBody::NoModel)]
    #[case::no_name(CONTENT_TYPE_X, "--x\r\n\r\na\r\n--x--", BadBody::NoModel)]
    fn a_form_that_cannot_be_routed_is_refused(
        #[case] content_type: &str,
        #[case] body: &str,
        #[case] bad: BadBody,
    ) {
        assert_eq!(parse(content_type, body.as_bytes()).map(|_| ()), Err(bad));
    }

    #[rstest]
    #[case(&[MODEL], RequestHints::default())]
    #[case(
        &[MODEL, ("name=stream", "true"), ("name=response_format", "srt")],
        RequestHints { stream: true, response_format: Some("srt".to_owned()), ..RequestHints::default() }
    )]
    #[case(&[("name=stream", "True"), ("name=stream", "false"), MODEL], RequestHints::default())]
    fn a_form_has_hints_about_the_expected_answer(
        #[case] fields: &[(&str, &str)],
        #[case] hints: RequestHints,
    ) {
        let body = parse(CONTENT_TYPE_X, form(fields).as_bytes()).expect("a form with a model");
        assert_eq!(body.hints, hints);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            content_type in "multipart/form-data; ?[ -~]{0,9}(boundary=x)?",
            body in prop::collection::vec(
                prop_oneof![
                    Just(b"--x".to_vec()),
                    Just(b"\r\n".to_vec()),
                    Just(b"Content-Disposition: form-data; name=\"model\"\r\n\r\n".to_vec()),
                    prop::collection::vec(any::<u8>(), 0..4),
                ],
                0..12,
            ),
        ) {
            let _ = parse(&content_type, &body.concat());
        }
    }
}
