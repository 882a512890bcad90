//! The request schemas in `spec/`: JSON Schema in the subset that `spec/README.md` describes, read
//! once and strictly. A keyword outside the subset is an error, so nothing is silently unchecked.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value as Json, from_value};

use super::Strength;
use super::body::{Kind, Value};
use crate::provider::{Endpoint, Surface};

/// The request schema of one endpoint on one surface.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) root: Node,
    definitions: Vec<Node>,
    pub(super) rules: Vec<Rule>,
    /// Which models' back ends speak the older language about unknown names.
    pub(super) older_words: OlderWords,
}

/// Models by the prefixes of their names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Models {
    models: Vec<String>,
    except: Vec<String>,
}

impl Models {
    pub(super) fn include(&self, model: &str) -> bool {
        is_among(model, &self.models, &self.except)
    }
}

fn is_among(model: &str, models: &[String], except: &[String]) -> bool {
    let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| model.starts_with(prefix));
    begins(models) && !begins(except)
}

/// The models whose back ends name neither parameter nor code.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OlderWords {
    /// To unknown parameters: `Unrecognized request argument supplied: …`.
    pub(super) names: Models,
    /// To unknown members of a message: `Additional properties are not allowed …`.
    pub(super) members: Models,
    /// Members of a message that the schema knows and these back ends do not.
    newer_members: Vec<String>,
}

impl OlderWords {
    /// Whether a message to this model must not have a member of this name, which the schema knows.
    pub(super) fn lack(&self, model: &str, member: &str) -> bool {
        self.newer_members.iter().any(|one| one == member) && self.members.include(model)
    }
}

/// One schema node. What a keyword does not say, it allows.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Node {
    /// Index into [`Schema::definitions`]; see [`link`].
    #[serde(rename = "$ref")]
    reference: Option<usize>,
    #[serde(rename = "type", deserialize_with = "kinds")]
    pub(super) kinds: Kinds,
    #[serde(rename = "enum")]
    pub(super) choices: Option<Vec<Json>>,
    #[serde(rename = "anyOf")]
    pub(super) branches: Vec<Node>,
    /// The properties by which an object's branch is picked, in this order.
    #[serde(rename = "x-discriminator", deserialize_with = "one_or_more")]
    pub(super) tags: Vec<String>,
    /// How sure what this node says is; where unsaid, it depends on the depth and on what it says.
    #[serde(rename = "x-strength")]
    pub(super) strength: Option<Strength>,
    pub(super) properties: IndexMap<String, Node>,
    pub(super) required: Vec<String>,
    #[serde(rename = "additionalProperties")]
    pub(super) others: Others,
    /// Names that only documents leave out, whatever the strength.
    #[serde(rename = "x-unproven")]
    pub(super) unproven: Vec<String>,
    /// Required names, or tags, without which a live refusal is known, whatever the strength.
    #[serde(rename = "x-missed")]
    pub(super) missed: Vec<String>,
    pub(super) max_properties: Option<usize>,
    pub(super) items: Option<Box<Node>>,
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) pattern: Option<Pattern>,
    pub(super) minimum: Option<Number>,
    pub(super) maximum: Option<Number>,
}

/// A request schema as its file spells it, and as it is read.
pub(super) struct Embedded {
    pub(super) text: &'static str,
    schema: LazyLock<Schema>,
}

impl Embedded {
    /// The file of this endpoint on this surface.
    pub(super) fn of(surface: Surface, endpoint: Endpoint) -> &'static Self {
        macro_rules! embedded {
            ($surface:literal) => {
                match endpoint {
                    Endpoint::ChatCompletions => embedded!($surface, "chat.completions"),
                    Endpoint::Completions => embedded!($surface, "completions"),
                    Endpoint::Embeddings => embedded!($surface, "embeddings"),
                    Endpoint::Responses => embedded!($surface, "responses"),
                    Endpoint::ResponsesCompact => embedded!($surface, "responses.compact"),
                    Endpoint::ImagesGenerations => embedded!($surface, "images.generations"),
                    Endpoint::AudioSpeech => embedded!($surface, "audio.speech"),
                    Endpoint::AudioTranscriptions => embedded!($surface, "audio.transcriptions"),
                    Endpoint::AudioTranslations => embedded!($surface, "audio.translations"),
                    // Azure has none, and answers before a body is looked at.
                    Endpoint::Moderations => embedded!("openai", "moderations"),
                }
            };
            ($surface:literal, $endpoint:literal) => {{
                const TEXT: &str =
                    include_str!(concat!("../../spec/", $surface, "/", $endpoint, ".json"));
                static EMBEDDED: Embedded = Embedded {
                    text: TEXT,
                    schema: LazyLock::new(|| {
                        Schema::read(TEXT).expect("every file in spec/ is read in a test")
                    }),
                };
                &EMBEDDED
            }};
        }
        match surface {
            Surface::OpenAi => embedded!("openai"),
            Surface::AzureV1 => embedded!("azure-v1"),
            Surface::AzureLegacy => embedded!("azure-legacy"),
        }
    }
}

impl Schema {
    /// The schema of this endpoint on this surface.
    pub(super) fn of(surface: Surface, endpoint: Endpoint) -> &'static Self {
        &Embedded::of(surface, endpoint).schema
    }

    fn read(text: &str) -> serde_json::Result<Self> {
        use serde::de::Error as _;

        let mut root: IndexMap<String, Json> = serde_json::from_str(text)?;
        for about in ["$schema", "$id", "x-provenance"] {
            root.shift_remove(about);
        }
        let rules = root.shift_remove("x-rules").unwrap_or_else(|| Json::Array(Vec::new()));
        let older_words =
            root.shift_remove("x-older-words").map_or(Ok(OlderWords::default()), from_value)?;
        let definitions =
            root.shift_remove("$defs").unwrap_or_else(|| Json::Object(Map::default()));
        let Json::Object(definitions) = definitions else {
            return Err(serde_json::Error::custom("$defs is no object"));
        };
        let names: Vec<String> = definitions.keys().cloned().collect();
        let node = |mut value: Json| {
            link(&mut value, &names)?;
            from_value::<Node>(value)
        };
        Ok(Self {
            root: node(Json::Object(root.into_iter().collect()))?,
            definitions: definitions
                .into_iter()
                .map(|(_, one)| node(one))
                .collect::<Result<_, _>>()?,
            rules: from_value(rules)?,
            older_words,
        })
    }

    /// What a value of this node may be: its branches, or the node itself.
    pub(super) fn shapes<'a>(&'a self, node: &'a Node) -> Vec<&'a Node> {
        let node = self.resolve(node);
        if node.branches.is_empty() {
            return vec![node];
        }
        node.branches.iter().map(|branch| self.resolve(branch)).collect()
    }

    /// The node itself, or the definition that it refers to.
    pub(super) fn resolve<'a>(&'a self, node: &'a Node) -> &'a Node {
        // A definition may be a reference itself; the generator makes no circle of mere references.
        let mut node = node;
        while let Some(index) = node.reference {
            node = &self.definitions[index];
        }
        node
    }
}

/// Puts the index of the definition in place of each reference's text, and the type `file`, which
/// JSON Schema has not, where `x-file` says so.
fn link(value: &mut Json, names: &[String]) -> serde_json::Result<()> {
    use serde::de::Error as _;

    match value {
        Json::Object(members) => {
            if members.shift_remove("x-file").is_some() {
                members.insert("type".to_owned(), Json::from("file"));
            }
            for (key, value) in members {
                match value {
                    Json::String(reference) if key == "$ref" => {
                        let name = reference.strip_prefix("#/$defs/");
                        let index = name.and_then(|name| names.iter().position(|n| n == name));
                        let unknown = || serde_json::Error::custom(format!("no {reference}"));
                        *value = Json::from(index.ok_or_else(unknown)?);
                    }
                    _ => link(value, names)?,
                }
            }
            Ok(())
        }
        Json::Array(items) => items.iter_mut().try_for_each(|item| link(item, names)),
        _ => Ok(()),
    }
}

/// The members of an object that its schema does not name.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "BoolOrNode")]
pub(super) enum Others {
    #[default]
    Open,
    Closed,
    Each(Box<Node>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum BoolOrNode {
    Bool(bool),
    Node(Box<Node>),
}

impl From<BoolOrNode> for Others {
    fn from(value: BoolOrNode) -> Self {
        match value {
            BoolOrNode::Bool(true) => Self::Open,
            BoolOrNode::Bool(false) => Self::Closed,
            BoolOrNode::Node(node) => Self::Each(node),
        }
    }
}

/// A set of kinds of values; all of them where no type is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Default for Kinds {
    fn default() -> Self {
        Self(u8::MAX)
    }
}

impl Kinds {
    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & Self::bit(kind) != 0
    }

    fn bit(kind: Kind) -> u8 {
        1 << kind as u8
    }
}

fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kinds, D::Error> {
    use serde::de::Error as _;

    let mut bits = 0;
    for name in one_or_more(deserializer)? {
        bits |= match name.as_str() {
            "null" => Kinds::bit(Kind::Null),
            "boolean" => Kinds::bit(Kind::Bool),
            "integer" => Kinds::bit(Kind::Integer),
            "number" => Kinds::bit(Kind::Integer) | Kinds::bit(Kind::Decimal),
            "string" => Kinds::bit(Kind::String),
            "array" => Kinds::bit(Kind::Array),
            "object" => Kinds::bit(Kind::Object),
            "file" => Kinds::bit(Kind::File),
            _ => return Err(D::Error::custom(format!("no such type: {name}"))),
        };
    }
    Ok(Kinds(bits))
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }

    Ok(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(one) => vec![one],
        OneOrMore::More(more) => more,
    })
}

/// A pattern of the one form in use: `^[…]+$` with single characters and ranges.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pattern {
    pub(super) text: String,
    ranges: Vec<(char, char)>,
}

impl Pattern {
    pub(super) fn matches(&self, text: &str) -> bool {
        let allowed = |c| self.ranges.iter().any(|&(from, to)| (from..=to).contains(&c));
        !text.is_empty() && text.chars().all(allowed)
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let class = text.strip_prefix("^[").and_then(|rest| rest.strip_suffix("]+$"));
        let mut rest = match class {
            Some(class) if !class.starts_with('^') && !class.contains(['[', ']', '\\']) => {
                class.chars().peekable()
            }
            _ => return Err(format!("pattern of another form than ^[…]+$: {text}")),
        };
        let mut ranges = Vec::new();
        while let Some(from) = rest.next() {
            let to = match (rest.next_if_eq(&'-'), rest.peek()) {
                (Some(_), Some(&to)) => {
                    rest.next();
                    to
                }
                (Some(_), None) => {
                    ranges.push(('-', '-'));
                    from
                }
                (None, _) => from,
            };
            ranges.push((from, to));
        }
        Ok(Self { text, ranges })
    }
}

/// A rule that reaches over several parameters, or depends on the model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    #[expect(dead_code, reason = "names the rule to readers of the file")]
    id: String,
    pub(super) kind: RuleKind,
    /// The parameter that the rule is about; `a[].b` means `b` of each item of `a`.
    pub(super) param: String,
    /// Other parameters and the values they must have.
    #[serde(default)]
    pub(super) requires: IndexMap<String, Json>,
    /// Other parameters that must be there and not null.
    #[serde(default)]
    pub(super) requires_present: Vec<String>,
    /// Prefixes of the models that the rule is for.
    #[serde(default)]
    models: Vec<String>,
    /// Prefixes of models that the rule is not for.
    #[serde(default)]
    except: Vec<String>,
    /// The only values that these models take.
    #[serde(default)]
    pub(super) allowed: Option<Vec<Json>>,
    /// The values that these models do not take.
    #[serde(default)]
    pub(super) refused: Option<Vec<Json>>,
    /// The provider's sentence; `{path}`, `{value}` and `{model}` stand for what was found.
    pub(super) message: String,
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) error_param: ErrorParam,
    pub(super) strength: Strength,
    #[expect(dead_code, reason = "tells readers of the file who saw it")]
    evidence: String,
    #[expect(dead_code, reason = "tells readers of the file when it was seen")]
    date: String,
}

/// What the `param` of a rule's error says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "Option<String>")]
pub(super) enum ErrorParam {
    /// The path of the value.
    #[default]
    Path,
    Said(Option<String>),
}

impl From<Option<String>> for ErrorParam {
    fn from(said: Option<String>) -> Self {
        Self::Said(said)
    }
}

/// What a [`Rule`] demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RuleKind {
    /// The parameter belongs to another endpoint.
    Moved,
    /// The parameter needs another one.
    Requires,
    /// The models do not take the parameter.
    UnsupportedForModel,
    /// The models do not take this value of the parameter.
    UnsupportedValueForModel,
}

impl Rule {
    pub(super) fn is_for(&self, model: &str) -> bool {
        is_among(model, &self.models, &self.except)
    }

    pub(super) fn takes(&self, value: &Value<'_>) -> bool {
        let among = |values: &[Json]| values.iter().any(|one| value.equals(one));
        match (&self.allowed, &self.refused) {
            (Some(allowed), _) => among(allowed),
            (None, Some(refused)) => !among(refused),
            (None, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_can_be_read() {
        for surface in Surface::ALL {
            for endpoint in Endpoint::ALL {
                assert!(!Schema::of(surface, endpoint).root.properties.is_empty());
            }
        }
    }

    #[test]
    fn a_keyword_outside_the_subset_is_an_error() {
        let error = Schema::read(r#"{"type": "object", "not": {}}"#).expect_err("must be refused");
        assert!(error.to_string().contains("`not`"), "{error}");
    }

    #[test]
    fn a_reference_to_nothing_is_an_error() {
        let error = Schema::read(r##"{"items": {"$ref": "#/$defs/Gone"}, "$defs": {}}"##);
        assert_eq!(error.expect_err("must be refused").to_string(), "no #/$defs/Gone");
    }

    #[test]
    fn a_pattern_takes_its_characters_and_nothing_else() {
        let pattern = Pattern::try_from("^[a-zA-Z0-9_-]+$".to_owned()).expect("of the known form");
        assert!(pattern.matches("get_Weather-2"));
        for refused in ["", "a b", "naïve", "a.b", "line\n"] {
            assert!(!pattern.matches(refused), "{refused:?}");
        }
        Pattern::try_from("^a+$".to_owned()).expect_err("another form");
    }
}
