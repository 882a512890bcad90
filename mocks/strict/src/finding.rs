//! What is wrong with a body, before anybody says it.

use serde_json::{Number, Value as Json};

use crate::Strength;
use crate::body::{Kind, Object, Value};
use crate::path::Step;
use crate::schema::{Node, Rule};

/// Something wrong with a body, not yet in words.
#[derive(Debug, Clone)]
pub(super) struct Finding<'a> {
    pub(super) path: Vec<Step<'a>>,
    pub(super) fault: Fault<'a>,
    pub(super) strength: Strength,
}

#[derive(Debug, Clone)]
pub(super) enum Fault<'a> {
    Missing,
    /// A member of this object that its node does not know.
    Unknown {
        of: &'a Node,
        object: &'a Object<'a>,
    },
    /// A value of a type that the node does not take.
    Type {
        expected: &'a Node,
        got: &'a Value<'a>,
    },
    /// A tag that is no string, where one of these was expected.
    TagType {
        choices: Vec<&'a Json>,
        got: &'a Value<'a>,
    },
    /// A value of the right type that is none of these.
    Choice {
        choices: Vec<&'a Json>,
        got: &'a Value<'a>,
    },
    Range {
        side: Side,
        limit: &'a Number,
        integer: bool,
        got: &'a str,
    },
    Size {
        side: Side,
        limit: usize,
        of: Kind,
        got: usize,
    },
    Pattern {
        pattern: &'a str,
    },
    Rule {
        rule: &'a Rule,
        got: &'a Value<'a>,
    },
    Repeated,
}

/// On which side of a limit a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Below,
    Above,
}
