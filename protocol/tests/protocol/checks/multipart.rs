//! What holds for the reader of forms.

use fallproof_protocol::multipart::{FormField, read};

/// Number of positions at which a form is cut.
const CUTS: usize = 64;

/// Checks everything that holds for a form with this content type.
pub(crate) fn check(content_type: &str, body: &[u8]) {
    let Some(fields) = read(content_type, body) else { return };
    let boundary = boundary_without(body);
    let written = written(&boundary, &fields);
    let kind = format!("multipart/form-data; boundary={boundary}");
    assert_eq!(read(&kind, &written).as_ref(), Some(&fields), "{}", written.escape_ascii());
    let before = [b"before\r\n", body].concat();
    assert_eq!(read(content_type, &before).as_ref(), Some(&fields), "with text before");
    let after = [body, b"\r\nafter"].concat();
    assert_eq!(read(content_type, &after).as_ref(), Some(&fields), "with text after");
    for cut in (0..body.len()).step_by(body.len() / CUTS + 1) {
        let cut_off = read(content_type, &body[..cut]);
        assert!(cut_off.as_ref().is_none_or(|it| *it == fields), "cut at {cut}: {cut_off:?}");
    }
}

/// A form with these fields.
pub(crate) fn written(boundary: &str, fields: &[FormField<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for FormField { name, filename, value } in fields {
        let filename = filename.map(|name| format!("; filename={}", parameter(name)));
        let disposition = format!("form-data; name={}", parameter(name));
        let head = format!(
            "--{boundary}\r\ncontent-disposition: {disposition}{}\r\n\r\n",
            filename.unwrap_or_default(),
        );
        bytes.extend([head.as_bytes(), value, b"\r\n"].concat());
    }
    bytes.extend(format!("--{boundary}--\r\n").as_bytes());
    bytes
}

/// The value of a parameter, in quotes if it could be in quotes. A space keeps a quote at the start of
/// a value from being read as the start of a quoted one.
fn parameter(value: &str) -> String {
    let mut escaped = false;
    let has_quote = value.chars().any(|it| {
        let ends = it == '"' && !escaped;
        escaped = it == '\\' && !escaped;
        ends
    });
    if has_quote || escaped { format!(" {value}") } else { format!("\"{value}\"") }
}

/// A boundary that does not occur in the form.
fn boundary_without(body: &[u8]) -> String {
    let occurs = |it: &String| body.windows(it.len()).any(|part| part == it.as_bytes());
    let all = (0..=body.len()).map(|number| format!("b{number}."));
    { all }.find(|it| !occurs(it)).expect("a form has fewer of them than bytes")
}
