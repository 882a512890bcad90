//! What is odd about a call: the members of its body in which it differs from an earlier call of its
//! case that succeeded. A case about an odd value sends a plain call first.

use std::fmt;

use fallproof_protocol::json::{Tree, quoted};

use crate::observe::{ObservedCall, View};

/// A member of the client's body that an earlier, successful call had with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddMember {
    /// Its name.
    pub name: String,
    /// Its value as JSON; `None` if only the earlier call had it.
    pub value: Option<String>,
}

/// The type of an odd value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OddType {
    Missing,
    Null,
    Boolean,
    Number,
    Text,
    List,
    Object,
}

impl OddMember {
    /// The type of its value.
    pub(crate) fn value_type(&self) -> OddType {
        match self.value.as_deref().map(|value| value.as_bytes().first().copied()) {
            None => OddType::Missing,
            Some(Some(b'n')) => OddType::Null,
            Some(Some(b't' | b'f')) => OddType::Boolean,
            Some(Some(b'"')) => OddType::Text,
            Some(Some(b'[')) => OddType::List,
            Some(Some(b'{')) => OddType::Object,
            Some(_) => OddType::Number,
        }
    }
}

/// The odd members of a call, in the order of its body; those that it lacks come last. `None` if no
/// earlier call to the same endpoint and group succeeded.
pub(crate) fn members(view: View<'_>) -> Option<Vec<OddMember>> {
    let exchange = &view.observed.exchange;
    let is_plain = |call: &&ObservedCall<'_>| {
        call.group == view.observed.group
            && call.exchange.path == exchange.path
            && call.exchange.status.is_some_and(|status| (200..300).contains(&status))
            && !call.requests.is_empty()
    };
    let plain = view.earlier.iter().find(is_plain)?;
    let Ok(Tree::Object(sent)) = Tree::parse(&exchange.sent) else { return None };
    let Ok(Tree::Object(plain)) = Tree::parse(&plain.exchange.sent) else { return None };
    let of = |name: &str| plain.iter().find(|(it, _)| it == name).map(|(_, value)| value);
    let differs = |(name, value): &&(String, Tree)| of(name) != Some(value);
    let odd = sent
        .iter()
        .filter(differs)
        .map(|(name, value)| OddMember { name: name.clone(), value: Some(value.compact()) });
    let is_missing = |(name, _): &&(String, Tree)| !sent.iter().any(|(it, _)| it == name);
    let missing = plain.iter().filter(is_missing);
    let missing = missing.map(|(name, _)| OddMember { name: name.clone(), value: None });
    Some(odd.chain(missing).collect())
}

/// As in a body: `"prompt": [null]`.
impl fmt::Display for OddMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = quoted(&self.name);
        match &self.value {
            Some(value) => write!(f, "{name}: {value}"),
            None => write!(f, "no {name}"),
        }
    }
}
