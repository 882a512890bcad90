//! Scenarios: the model of a declarative case, and the loading of the suite's files.

mod body;
mod expand;
mod family;
mod file;
mod file_steps;
mod files;
mod load;
mod load_call;
mod load_deployments;
mod load_groups;
mod load_steps;
mod naming;
mod pattern;
mod payload;
mod schema;
mod select;
mod settings;
mod suite;
mod text;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use fallproof_protocol::behavior::{Behavior, CONNECT_TIMEOUT, CONNECTION_REFUSED};
use fallproof_protocol::coding::Coding;
use fallproof_protocol::condition::Condition;
use fallproof_protocol::encoding;
use fallproof_protocol::provider::{Endpoint, Surface};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Ability, Feature};
use crate::profile::Profile;
use crate::requirement::Code;

pub use load::{load, load_alone, read};
pub use load_deployments::DEFAULT_API_VERSION;
pub use naming::{LONGEST_ID, is_case_id, is_id};
pub use pattern::Pattern;
pub use payload::{Body, MODEL_PLACEHOLDER, Part, Rendered};
pub use schema::schema;
pub use select::SelectError;
pub use settings::Settings;
pub use suite::Suite;
pub use text::{case_text, text};

/// The name of a scenario's only group if the file does not name it.
pub const ONLY_GROUP: &str = "main";

/// One declarative case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's path relative to `scenarios/`, without extension and with `/` as separator. For a
    /// case of a family, `@` and the case's values follow, joined with `.`
    /// (`faults/each@server-error.azure-v1`).
    pub id: String,
    /// The file that it was read from.
    pub file: PathBuf,
    /// One sentence that describes what happens.
    pub title: String,
    /// Why the case matters.
    pub why: Option<String>,
    /// Links to reports or documents about the case.
    pub links: Vec<String>,
    /// The profile that the scenario belongs to.
    pub profile: Profile,
    /// Whether the scenario tests conformance or robustness.
    #[serde(default)]
    pub level: Level,
    /// Expectations that bind only the reference router.
    #[serde(default)]
    pub up_to_target: Vec<Freedom>,
    /// The codes of the requirements that the scenario tests.
    pub proves: Vec<Code>,
    /// Tags for selecting scenarios.
    pub tags: Vec<String>,
    /// The mock deployments by name, in the order of the file; each is in a chain.
    pub deployments: IndexMap<String, Deployment>,
    /// The model groups by name; [`ONLY_GROUP`] if there is a single one without a name. Never
    /// empty.
    pub groups: IndexMap<String, Group>,
    /// The steps, in order; never empty.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// The id as a single word, for the names of groups and deployments. It does not contain `@`,
    /// because some gateways refuse a model name with `@`, and others parse it as user info in a
    /// URL.
    pub fn slug(&self) -> String {
        slug(&self.id)
    }

    /// The part of the id before `@`. It is the same for all scenarios in a file.
    pub fn family(&self) -> &str {
        pattern::family(&self.id)
    }

    /// Every client call, in the order of the steps.
    pub fn calls(&self) -> impl Iterator<Item = &Planned> {
        self.steps.iter().flat_map(|step| match step {
            Step::Calls(calls) => calls.as_slice(),
            Step::Advance(_) => &[],
        })
    }

    /// The features that the scenario needs from a target.
    pub fn needs(&self) -> BTreeSet<Feature> {
        let mut needs = BTreeSet::new();
        for Planned { send, .. } in self.calls() {
            needs.insert(Feature::Endpoint(send.endpoint));
            if send.key != ClientKey::Right {
                needs.insert(Feature::Other(Ability::ClientKeys));
            }
            if !send.body.names_a_group() {
                needs.insert(Feature::Other(Ability::ModelRouting));
            }
            if let Body::Members(members) = &send.body
                && members.get("stream") == Some(&true.into())
            {
                needs.insert(Feature::Stream(send.endpoint));
            }
        }
        needs.extend(
            self.deployments.values().map(|deployment| Feature::Surface(deployment.surface)),
        );
        for Settings { organization, project, headers, query } in
            self.deployments.values().map(|deployment| &deployment.settings)
        {
            let abilities = [
                (Ability::Organization, organization.is_some()),
                (Ability::Project, project.is_some()),
                (Ability::DeploymentHeaders, !headers.is_empty()),
                (Ability::DeploymentQuery, !query.is_empty()),
            ];
            let needed = abilities.into_iter().filter(|(_, needed)| *needed);
            needs.extend(needed.map(|(ability, _)| Feature::Other(ability)));
        }
        for group in self.groups.values() {
            let abilities = [
                (Ability::Fallback, group.chain.len() > 1),
                (Ability::Retries, group.retries.is_some()),
                (Ability::Timeout, group.timeout.is_some()),
                (Ability::TotalTimeout, group.total_timeout.is_some()),
                (Ability::Cooldown, group.cooldown.is_some()),
                (Ability::MaxRetryAfter, group.max_retry_after.is_some()),
                (Ability::FallbackOn, group.fallback_on.is_some()),
                (Ability::ContextLengthChain, !group.on_context_length.is_empty()),
                (Ability::ContentFilterChain, !group.on_content_filter.is_empty()),
            ];
            let needed = abilities.into_iter().filter(|(_, needed)| *needed);
            needs.extend(needed.map(|(ability, _)| Feature::Other(ability)));
        }
        needs
    }

    /// The longest single wait of the scenario: a timeout, or a delayed answer.
    pub fn longest_wait(&self) -> Option<Duration> {
        let limits = |group: &Group| group.timeout.max(group.total_timeout);
        let scripts = self.deployments.values().flat_map(|deployment| &deployment.script);
        let delay = scripts.filter_map(|behavior| behavior.wire.delay_ms).max();
        let limit = self.groups.values().map(limits).max().flatten();
        limit.max(delay.map(Duration::from_millis))
    }

    /// Whether a run of the scenario waits for a real clock: for more than a second, or because its
    /// waits cannot be shortened, which its tag says. If the clock of the target is Fallproof's own,
    /// only the tag counts.
    pub fn waits_for_real(&self, has_own_clock: bool) -> bool {
        const SHORT: Duration = Duration::from_secs(1);
        let is_long = self.waits() > SHORT || self.longest_wait().is_some_and(|wait| wait > SHORT);
        self.tags.iter().any(|tag| tag == SLOW) || !has_own_clock && is_long
    }

    /// The total time by which the steps advance the clock.
    pub fn waits(&self) -> Duration {
        let moved = self.steps.iter().map(|step| match step {
            Step::Advance(by) => *by,
            Step::Calls(_) => Duration::ZERO,
        });
        moved.sum()
    }
}

/// Tag of scenarios that take seconds with every target.
const SLOW: &str = "slow";

/// The [slug](Scenario::slug) of the scenario with this id.
pub(crate) fn slug(id: &str) -> String {
    id.replace('/', ".").replace('@', "--")
}

/// What a scenario tests.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
#[schemars(rename = "ScenarioLevel")]
pub enum Level {
    /// Conformance. Providers and clients do only what real ones are known to do.
    #[default]
    Conformance,
    /// Robustness against input that no provider or client is known to send. Violations are
    /// reported, but do not change the verdict.
    Robustness,
}

/// Behavior that the requirements do not fix. If a scenario leaves such behavior to the target,
/// only a target with exact strictness, such as the reference router, must meet the expectation;
/// other targets' deviations are informational. Too many attempts, or a status of another kind,
/// still violate a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
pub enum Freedom {
    /// The number of attempts at a deployment, within its retries.
    #[strum(to_string = "the number of attempts at a deployment, within its retries,")]
    Attempts,
    /// The exact error status.
    #[strum(to_string = "the exact status of an error, within its kind,")]
    Status,
    /// The type, code, parameter and message of an error.
    #[strum(to_string = "the wording of an error")]
    ErrorWording,
    /// The handling of a stream that broke before any of it reached the client.
    #[strum(to_string = "the handling of a break before the client got any content")]
    UnseenBreak,
}

impl Freedom {
    /// All kinds of such behavior.
    pub const ALL: [Self; 4] =
        [Self::Attempts, Self::Status, Self::ErrorWording, Self::UnseenBreak];
}

/// One mock deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// The surface, which determines the paths, the form of the credential, and the schemas.
    pub surface: Surface,
    /// The model that answers, e.g. `gpt-5`.
    pub model: String,
    /// The name that requests must include: the model on OpenAI, the deployment's name on Azure.
    pub deployment_name: String,
    /// The `api-version` of the Azure legacy surface; `None` elsewhere.
    pub api_version: Option<String>,
    /// What the gateway is configured to send to it in addition to its credential.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
    /// Its behaviors at the first attempt, the second, and so on; never empty.
    pub script: Vec<Behavior>,
    /// Whether the last behavior of the script repeats. If not, the mock rejects attempts after the
    /// end of the script.
    pub repeat_last: bool,
}

impl Deployment {
    /// How connections to the deployment fail, if they do. In this case, attempts at the deployment
    /// cannot be observed.
    pub fn dead_end(&self) -> Option<DeadEnd> {
        self.script.iter().find_map(|behavior| DeadEnd::named(&behavior.reply))
    }
}

/// An address that no attempt can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadEnd {
    /// Every connection is refused.
    Refusing,
    /// Connection attempts get no reply.
    Silent,
}

impl DeadEnd {
    /// The dead end that this behavior needs.
    pub fn named(behavior: &str) -> Option<Self> {
        match behavior {
            CONNECTION_REFUSED => Some(Self::Refusing),
            CONNECT_TIMEOUT => Some(Self::Silent),
            _ => None,
        }
    }
}

/// A model group and its policy. The target chooses the values that are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The names of its deployments, in the order in which to try them; never empty.
    pub chain: Vec<String>,
    /// Deployments to try instead, in order, if a request is too long.
    pub on_context_length: Vec<String>,
    /// Deployments to try instead, in order, if a content filter refuses a request.
    pub on_content_filter: Vec<String>,
    /// Number of retries at a deployment before the next one is tried.
    pub retries: Option<u32>,
    /// Timeout of one attempt.
    #[serde(with = "encoding")]
    pub timeout: Option<Duration>,
    /// Timeout of one call with all its attempts.
    #[serde(with = "encoding")]
    pub total_timeout: Option<Duration>,
    /// Cooldown after repeated failures.
    pub cooldown: Option<Cooldown>,
    /// Limit on the wait that a deployment requests with a 429 or 503 response.
    #[serde(with = "encoding")]
    pub max_retry_after: Option<Duration>,
    /// The failures that cause a fallback to the next deployment.
    pub fallback_on: Option<Vec<Condition>>,
}

impl Group {
    /// Every deployment of the group: first the chain, then the special fallbacks.
    pub fn deployments(&self) -> impl Iterator<Item = &String> {
        self.chain.iter().chain(&self.on_context_length).chain(&self.on_content_filter)
    }
}

/// When a deployment's cooldown starts, and how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cooldown {
    /// Number of consecutive failures that start the cooldown; at least 1.
    pub after_failures: u32,
    /// How long the cooldown lasts. During this time, the deployment gets no attempts.
    #[serde(with = "encoding")]
    pub duration: Duration,
}

/// One step of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Client calls that are made in parallel; never empty, usually one.
    Calls(Vec<Planned>),
    /// Advances the clock by this time: directly if Fallproof controls the target's clock,
    /// otherwise by waiting.
    Advance(#[serde(with = "encoding")] Duration),
}

/// One client call with its expectations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// The call.
    pub send: Call,
    /// Expectations, in addition to the requirements that always apply.
    pub expect: Expect,
}

/// One client call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The name that the call's group has within the scenario.
    pub group: String,
    /// The endpoint to call.
    pub endpoint: Endpoint,
    /// The API key that the client sends.
    pub key: ClientKey,
    /// Headers in addition to those that every call has.
    pub headers: IndexMap<String, String>,
    /// The body.
    pub body: Body,
    /// The content coding in which the body is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Coding>,
    /// The point at which the client disconnects before the response is complete.
    pub disconnect: Option<Disconnect>,
    /// Delays reading the response until this deployment has sent as much as it can.
    pub delay_read_until_sent_by: Option<String>,
}

/// The API key that a client sends to the gateway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClientKey {
    /// The valid key.
    #[default]
    Right,
    /// An invalid key of the same length.
    Wrong,
    /// No key.
    None,
}

/// The point at which a client disconnects before its response is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disconnect {
    /// After the client got this many events of a stream.
    AfterEvents(usize),
    /// After this deployment got the request.
    AfterRequestTo(String),
}

/// Expectations of a call. Values that are `None` are not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The deployments that get an attempt, in order of arrival.
    pub attempts: Option<Vec<String>>,
    /// The status that the client gets.
    pub status: Option<u16>,
    /// The deployment whose answer the client gets.
    pub answered_by: Option<String>,
    /// The error that the client gets, in OpenAI's format.
    pub error: Option<ExpectedError>,
    /// Headers of the response, with their values.
    pub headers: IndexMap<String, String>,
    /// Headers and strings that no attempt may carry.
    #[serde(default, skip_serializing_if = "Carries::is_empty")]
    pub no_attempt_carries: Carries,
}

/// Headers and strings to look for in an attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carries {
    /// Names of headers.
    pub headers: Vec<String>,
    /// Strings to look for in the request target, the headers and the body.
    pub text: Vec<String>,
}

impl Carries {
    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Expected members of an error in OpenAI's format. Members that are `None` are not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedError {
    /// `error.type`
    pub kind: Option<String>,
    /// `error.code`
    pub code: Option<String>,
    /// `error.param`
    pub param: Option<String>,
    /// A string that `error.message` must contain.
    pub message_contains: Option<String>,
}
