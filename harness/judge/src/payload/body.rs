//! The members of a body, either JSON or a form.

use fallproof_protocol::json::Tree;
use fallproof_protocol::limits::has_too_many_values;
use fallproof_protocol::multipart;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use crate::observe::{Attempt, View};
use crate::violation::Unreadable;

const JSON: &str = "application/json";

/// A parsed body.
pub(super) struct Body {
    pub(super) tree: Tree,
    pub(super) is_form: bool,
}

pub(super) fn read(content_type: &str, body: &[u8]) -> Option<Body> {
    if !content_type.to_ascii_lowercase().starts_with("multipart/") {
        if has_too_many_values(body) {
            return None;
        }
        return Tree::parse(body).ok().map(|tree| Body { tree, is_form: false });
    }
    let parts = multipart::read(content_type, body)?;
    let content = |bytes: &[u8]| {
        let digest = || hex::encode(Sha256::digest(bytes));
        let described = |_| Tree::string(&format!("{} bytes, sha256 {}", bytes.len(), digest()));
        str::from_utf8(bytes).map_or_else(described, Tree::string)
    };
    let members = parts.iter().flat_map(|part| {
        let filename =
            part.filename.map(|it| (format!("{}.filename", part.name), Tree::string(it)));
        [(part.name.to_owned(), content(part.value))].into_iter().chain(filename)
    });
    Some(Body { tree: Tree::Object(members.collect()), is_form: true })
}

/// The body of an attempt, parsed in the client's format.
pub(super) fn received(view: View<'_>, attempt: &Attempt<'_>, sent: &Body) -> Option<Tree> {
    let kind = attempt.recorded.header("content-type").next().unwrap_or_default();
    let kind = if sent.is_form { String::from_utf8_lossy(kind).into_owned() } else { JSON.into() };
    // If the content type is wrong, the provider refuses the request, but the values can still be
    // compared.
    let body = &attempt.recorded.body;
    read(&kind, body).or_else(|| read(&sent_type(view), body)).map(|body| body.tree)
}

/// The content type of the client's request.
pub(super) fn sent_type(view: View<'_>) -> String {
    view.planned.send.body.rendered("", "").content_type
}

/// The offset of the first byte in which a binary part of a form differs from the client's part.
pub(super) fn differs_at(view: View<'_>, attempt: &Attempt<'_>, pointer: &str) -> Option<usize> {
    let kind = attempt.recorded.header("content-type").next().unwrap_or_default();
    let kind = String::from_utf8_lossy(kind);
    let of = |kind: &str, body: &[u8]| {
        let parts = multipart::read(kind, body)?;
        let part = parts.iter().find(|part| pointer.strip_prefix('/') == Some(part.name))?;
        Some(part.value.to_vec())
    };
    let sent = of(&sent_type(view), &view.observed.exchange.sent)?;
    let received = of(&kind, &attempt.recorded.body)?;
    let is_text = str::from_utf8(&sent).is_ok() && str::from_utf8(&received).is_ok();
    let shared = sent.iter().zip(&received).take_while(|(one, other)| one == other).count();
    (!is_text).then_some(shared)
}

pub(super) fn unreadable(body: &[u8], is_form: bool) -> Unreadable {
    match serde_json::from_slice::<IgnoredAny>(body) {
        _ if is_form => Unreadable::NotForm,
        Ok(_) if has_too_many_values(body) => Unreadable::TooManyValues,
        Ok(_) => Unreadable::TooDeep,
        Err(_) => Unreadable::NotJson,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_too_deep_to_be_compared_is_not_reported_as_invalid_json() {
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        assert!(read(JSON, deep.as_bytes()).is_none());
        let reason = unreadable(deep.as_bytes(), false).to_string();
        assert_eq!(reason, "nested too deeply to be compared");
        let long = format!("[{}0]", "0,".repeat(300_000));
        assert!(read(JSON, long.as_bytes()).is_none());
        let reason = unreadable(long.as_bytes(), false).to_string();
        assert_eq!(reason, "made of more JSON values than are compared");
        assert_eq!(unreadable(b"{", false).to_string(), "not JSON");
        assert_eq!(unreadable(b"{}", true).to_string(), "not a valid form");
    }
}
