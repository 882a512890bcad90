//! Forms.

use fallproof_protocol::multipart::{FormField, read};
use proptest::prelude::*;

use crate::checks::multipart::{check, written};
use crate::mutation::{each, inputs};

const PIECES: &[&str] = &[
    "--b",
    "\r\n",
    "\r\n--b",
    "--b--",
    "--",
    " \t",
    "content-disposition: form-data; name=\"a\"\r\n",
    "Content-Disposition:form-data;name=a;filename=\"b;c\"\r\n",
    "content-disposition: form-data; name= \"a\\\"\r\n",
    "content-type: text/plain\r\n",
    "value",
];

const TYPES: &[&str] =
    &["multipart/form-data; boundary=b", "multipart/form-data; a=\"c;\"; Boundary=\"b\""];

#[test]
fn what_holds_for_forms_holds_for_any_bytes() {
    let valid = b"ignored\r\n--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n\
        whisper-1\r\n--b \t\r\ncontent-type: audio/wav\r\n\
        content-disposition: form-data; filename=\"a;\\\"b\\\".wav\"; name=file\r\n\r\n\
        \x00\r\n--c\xff\r\n--b--\r\nignored";
    let forms = (prop::sample::select(TYPES), inputs(vec![valid.to_vec()], PIECES));
    each(400, &forms, |(content_type, body)| check(content_type, &body));
}

#[test]
fn any_content_type_is_read_without_a_panic_and_needs_a_boundary() {
    each(250, &"[multipart;=\" \\\\é]{0,20}(boundary)?[=\"b; \\\\]{0,6}", |content_type| {
        check(&content_type, b"--b\r\ncontent-disposition: x; name=a\r\n\r\n\r\n--b--");
        if !content_type.to_lowercase().contains("boundary") {
            assert_eq!(read(&content_type, b"--b--"), None, "{content_type}");
        }
    });
}

#[test]
fn a_form_that_was_written_is_read_back() {
    let part = (
        "[ -!#-\\[\\]-~é]{0,8}",
        prop::option::of("[ -!#-\\[\\]-~é]{0,8}"),
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..20),
            "[\r\n-]{0,8}[bc]?".prop_map(String::into_bytes)
        ],
    );
    each(250, &prop::collection::vec(part, 0..5), |parts| {
        let fields: Vec<_> = parts
            .iter()
            .map(|(name, filename, value)| FormField { name, filename: filename.as_deref(), value })
            .collect();
        let body = written("a-long-boundary", &fields);
        let kind = "multipart/form-data; boundary=a-long-boundary";
        assert_eq!(read(kind, &body), Some(fields));
    });
}
