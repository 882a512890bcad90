//! Problems in a body, before they are put into words.

use serde_json::{Number, Value as Json};

use crate::Strength;
use crate::body::{Kind, Object, Value};
use crate::path::Step;
use crate::schema::{Node, Rule};

/// A problem in a body.
#[derive(Debug, Clone)]
pub(super) struct Finding<'a> {
    pub(super) path: Vec<Step<'a>>,
    pub(super) fault: Fault<'a>,
    pub(super) strength: Strength,
}

#[derive(Debug, Clone)]
pub(super) enum Fault<'a> {
    Missing,
    /// A member of `object` that the schema node `of` does not define.
    Unknown {
        of: &'a Node,
        object: &'a Object<'a>,
    },
    /// A value of a type that the schema node does not allow.
    Type {
        expected: &'a Node,
        got: &'a Value<'a>,
    },
    /// A discriminator whose value is not a string. One of `choices` was expected.
    TagType {
        choices: Vec<&'a Json>,
        got: &'a Value<'a>,
    },
    /// A value of the right type that is not one of the allowed values.
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

/// Whether a value is below its minimum or above its maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Below,
    Above,
}
