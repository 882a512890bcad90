//! Scenarios: what one declarative case says, and how the suite's files become cases.

mod body;
mod expand;
mod family;
mod file;
mod load;
mod node;
mod schema;
mod suite;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use fallproof_mocks::behaviour::{Behaviour, CONNECT_TIMEOUT, CONNECTION_REFUSED};
use fallproof_mocks::provider::{Endpoint, Surface};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use load::load;
pub use schema::schema;
pub use suite::{SelectError, Suite};

/// What stands in the text of `body_json` where the model group's name goes.
const MODEL_PLACEHOLDER: &str = "{{model}}";

/// One declarative case.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The file's path below `scenarios/` without extension, `/` between its parts; of a case of a
    /// family, then `@` and its words with `.` between them (`faults/each@server-error.azure-v1`).
    pub id: String,
    /// The file it was read from.
    pub file: PathBuf,
    /// What happens, in one sentence.
    pub title: String,
    /// Why it is worth a case.
    pub why: Option<String>,
    /// Where it was met or is told of.
    pub links: Vec<String>,
    /// The set of scenarios that a gateway is judged by together.
    pub profile: Profile,
    /// The codes of the requirements that it was written for.
    pub proves: Vec<String>,
    /// Words to choose scenarios by.
    pub tags: Vec<String>,
    /// The mock providers by name, in the order of the file; each is in the chain.
    pub upstreams: IndexMap<String, Upstream>,
    /// The model group that the client asks for.
    pub group: Group,
    /// What the client does, in order; never empty.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// The id in one word, for names of groups and deployments.
    pub fn slug(&self) -> String {
        self.id.replace('/', ".")
    }

    /// The id without the words of its case: what all scenarios of one file have in common.
    pub fn family(&self) -> &str {
        self.id.split_once('@').map_or(&self.id, |(family, _)| family)
    }

    /// The family in one word, for what is kept once for each file.
    pub fn family_slug(&self) -> String {
        self.family().replace('/', ".")
    }
}

/// A set of requirements and scenarios; `core` is every gateway's, the others are extended.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// What every gateway with fallbacks can do.
    #[default]
    Core,
    /// Answers that are streamed.
    Streaming,
    /// The responses endpoints.
    Responses,
    /// Azure OpenAI as an upstream.
    Azure,
    /// The embeddings endpoint.
    Embeddings,
}

impl Profile {
    /// The name in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Streaming => "streaming",
            Self::Responses => "responses",
            Self::Azure => "azure",
            Self::Embeddings => "embeddings",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A mock provider that stands for one deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Which paths, credential form and schemas apply.
    pub surface: Surface,
    /// The model that answers, e.g. `gpt-5`.
    pub model: String,
    /// The name that requests must use: the model on OpenAI, the deployment's name on Azure.
    pub deployment: String,
    /// The `api-version` of the Azure legacy surface; `None` elsewhere.
    pub api_version: Option<String>,
    /// What it does at its first, second, … attempt; never empty.
    pub script: Vec<Behaviour>,
    /// After its last behaviour the script repeats it; otherwise one more attempt is a failure.
    pub repeat_last: bool,
}

impl Upstream {
    /// How connecting to it fails, where it does: then none of its attempts can be seen.
    pub fn dead_end(&self) -> Option<DeadEnd> {
        self.script.iter().find_map(|behaviour| DeadEnd::named(&behaviour.reply))
    }
}

/// An address where no attempt arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadEnd {
    /// Every connection is refused.
    Refusing,
    /// No connection is answered.
    Silent,
}

impl DeadEnd {
    /// The one that this behaviour asks for.
    pub fn named(behaviour: &str) -> Option<Self> {
        match behaviour {
            CONNECTION_REFUSED => Some(Self::Refusing),
            CONNECT_TIMEOUT => Some(Self::Silent),
            _ => None,
        }
    }
}

/// The model group and what is set for it; what is `None` is left to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The names of its upstreams, the first to be tried first; each once, never empty.
    pub chain: Vec<String>,
    /// How often the target tries an upstream again before it goes to the next.
    pub retries: Option<u32>,
    /// How long the target waits for one attempt.
    pub timeout: Option<Duration>,
}

/// One thing that the client does, and what must come of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The call.
    pub send: Call,
    /// What must happen, beyond the requirements that hold always.
    pub expect: Expect,
}

/// One client call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Where it goes.
    pub endpoint: Endpoint,
    /// Headers beside those that every call has.
    pub headers: IndexMap<String, String>,
    /// The body.
    pub body: Body,
}

/// The body of a client call; it has a place for the model group's name.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// The members beside `model`, in the order of the file.
    Members(Map<String, Value>),
    /// JSON text, sent byte for byte but for the placeholder.
    Text(String),
}

impl Body {
    /// The JSON text for the group of this name: as the first member, or at the placeholder.
    pub fn for_model(&self, model: &str) -> String {
        match self {
            Self::Members(members) => {
                let mut body = Map::with_capacity(members.len() + 1);
                body.insert("model".to_owned(), model.into());
                body.extend(members.clone());
                Value::Object(body).to_string()
            }
            Self::Text(text) => {
                let quoted = Value::from(model).to_string();
                text.replace(MODEL_PLACEHOLDER, &quoted[1..quoted.len() - 1])
            }
        }
    }
}

/// What must come of a call; what is `None` is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// The upstreams that see an attempt, in the order of arrival.
    pub attempts: Option<Vec<String>>,
    /// The status that the client gets.
    pub status: Option<u16>,
    /// The upstream whose words the client gets.
    pub answered_by: Option<String>,
    /// The error that the client gets, in OpenAI's shape.
    pub error: Option<ExpectedError>,
}

/// Members of an error in OpenAI's shape; what is `None` is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedError {
    /// `error.type`
    pub kind: Option<String>,
    /// `error.code`
    pub code: Option<String>,
    /// `error.param`
    pub param: Option<String>,
    /// Words within `error.message`.
    pub message_contains: Option<String>,
}
