//! Scenarios: what one declarative case says, and how the suite's files become cases.

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
mod suite;
mod text;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use fallproof_protocol::behavior::{Behavior, CONNECT_TIMEOUT, CONNECTION_REFUSED};
use fallproof_protocol::condition::Condition;
use fallproof_protocol::encoding;
use fallproof_protocol::provider::{Endpoint, Surface};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Ability, Feature};
use crate::profile::Profile;
use crate::requirement::Code;

pub use load::{load, load_alone};
pub use load_deployments::DEFAULT_API_VERSION;
pub use naming::is_id;
pub use pattern::Pattern;
pub use payload::{Body, MODEL_PLACEHOLDER, Part, Rendered};
pub use schema::schema;
pub use select::SelectError;
pub use suite::Suite;
pub use text::{case_text, text};

/// The name of a scenario's only group, where the file gives it none.
pub const ONLY_GROUP: &str = "main";

/// One declarative case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    pub proves: Vec<Code>,
    /// Words to choose scenarios by.
    pub tags: Vec<String>,
    /// The mock providers by name, in the order of the file; each is in the chain.
    pub deployments: IndexMap<String, Deployment>,
    /// The model groups that the client asks for, by name; [`ONLY_GROUP`] where there is one that
    /// needs no name. Never empty.
    pub groups: IndexMap<String, Group>,
    /// What the client does, in order; never empty.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// The id in one word, for names of groups and deployments. It has no `@`: some gateways refuse
    /// a model name with one, and some take it for a user's name in a URL.
    pub fn slug(&self) -> String {
        slug(&self.id)
    }

    /// The id without the words of its case: what all scenarios of one file have in common.
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

    /// What it needs of a target.
    pub fn needs(&self) -> BTreeSet<Feature> {
        let mut needs = BTreeSet::new();
        for Planned { send, .. } in self.calls() {
            needs.insert(Feature::Endpoint(send.endpoint));
            if send.key != ClientKey::Right {
                needs.insert(Feature::Other(Ability::ClientKeys));
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

    /// The longest limit of time, or delay of an answer, that it may have to wait for.
    pub fn longest_wait(&self) -> Option<Duration> {
        let limits = |group: &Group| group.timeout.max(group.total_timeout);
        let scripts = self.deployments.values().flat_map(|deployment| &deployment.script);
        let delay = scripts.filter_map(|behavior| behavior.wire.delay_ms).max();
        let limit = self.groups.values().map(limits).max().flatten();
        limit.max(delay.map(Duration::from_millis))
    }

    /// How far its steps move the clock in all.
    pub fn waits(&self) -> Duration {
        let moved = self.steps.iter().map(|step| match step {
            Step::Advance(by) => *by,
            Step::Calls(_) => Duration::ZERO,
        });
        moved.sum()
    }
}

/// The [slug](Scenario::slug) of the scenario with this id.
pub(crate) fn slug(id: &str) -> String {
    id.replace('/', ".").replace('@', "--")
}

/// A mock provider that stands for one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// Which paths, credential form and schemas apply.
    pub surface: Surface,
    /// The model that answers, e.g. `gpt-5`.
    pub model: String,
    /// The name that requests must include: the model on OpenAI, the deployment's name on Azure.
    pub deployment_name: String,
    /// The `api-version` of the Azure legacy surface; `None` elsewhere.
    pub api_version: Option<String>,
    /// What it does at its first, second, … attempt; never empty.
    pub script: Vec<Behavior>,
    /// After its last behavior the script repeats it; otherwise one more attempt is a failure.
    pub repeat_last: bool,
}

impl Deployment {
    /// How connecting to it fails, where it does: then none of its attempts can be seen.
    pub fn dead_end(&self) -> Option<DeadEnd> {
        self.script.iter().find_map(|behavior| DeadEnd::named(&behavior.reply))
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
    /// The one that this behavior asks for.
    pub fn named(behavior: &str) -> Option<Self> {
        match behavior {
            CONNECTION_REFUSED => Some(Self::Refusing),
            CONNECT_TIMEOUT => Some(Self::Silent),
            _ => None,
        }
    }
}

/// A model group and what is set for it; what is `None` is left to the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The names of its deployments, the first to be tried first; never empty.
    pub chain: Vec<String>,
    /// Who is asked instead when a request is too long, in order.
    pub on_context_length: Vec<String>,
    /// Who is asked instead when a content filter refuses a request, in order.
    pub on_content_filter: Vec<String>,
    /// How often the target tries a deployment again before it goes to the next.
    pub retries: Option<u32>,
    /// How long the target waits for one attempt.
    #[serde(with = "encoding")]
    pub timeout: Option<Duration>,
    /// How long the target takes for one call, over all its attempts.
    #[serde(with = "encoding")]
    pub total_timeout: Option<Duration>,
    /// When a deployment that keeps failing is put aside.
    pub cooldown: Option<Cooldown>,
    /// The longest that a deployment is left alone because it asks for it.
    #[serde(with = "encoding")]
    pub max_retry_after: Option<Duration>,
    /// Which failures lead on to the next deployment.
    pub fallback_on: Option<Vec<Condition>>,
}

impl Group {
    /// Every deployment of the group: the chain, then those that are asked instead.
    pub fn deployments(&self) -> impl Iterator<Item = &String> {
        self.chain.iter().chain(&self.on_context_length).chain(&self.on_content_filter)
    }
}

/// When a deployment is put aside, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cooldown {
    /// How many failures in a row it takes; at least 1.
    pub after_failures: u32,
    /// How long it gets no calls.
    #[serde(with = "encoding")]
    pub rest: Duration,
}

/// One thing that happens, in its turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Client calls that are made at the same time; never empty, mostly one.
    Calls(Vec<Planned>),
    /// The clock is moved on by so much: by hand where the target has a clock of ours, else by
    /// waiting.
    Advance(#[serde(with = "encoding")] Duration),
}

/// One client call, and what must come of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// The call.
    pub send: Call,
    /// What must happen, beyond the requirements that hold always.
    pub expect: Expect,
}

/// One client call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The group that it asks for, by its name in the scenario.
    pub group: String,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// What the client shows to be let in.
    pub key: ClientKey,
    /// Headers beside those that every call has.
    pub headers: IndexMap<String, String>,
    /// The body.
    pub body: Body,
    /// When the client leaves without waiting for the end.
    pub disconnect: Option<Disconnect>,
    /// The client reads nothing of its answer until this deployment has sent all that it can.
    pub delay_read_until_sent_by: Option<String>,
}

/// What a client shows to be let in by the gateway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClientKey {
    /// The key that the gateway gave out.
    #[default]
    Right,
    /// One as long that it never gave out.
    Wrong,
    /// None at all.
    None,
}

/// When a client leaves before its answer is through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disconnect {
    /// Once so many events of a stream have reached it.
    AfterEvents(usize),
    /// Once this deployment has the request.
    AfterRequestTo(String),
}

/// What must come of a call; what is `None` is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The deployments that see an attempt, in the order of arrival.
    pub attempts: Option<Vec<String>>,
    /// The status that the client gets.
    pub status: Option<u16>,
    /// The deployment whose words the client gets.
    pub answered_by: Option<String>,
    /// The error that the client gets, in OpenAI's shape.
    pub error: Option<ExpectedError>,
    /// Headers of the answer, with their values.
    pub headers: IndexMap<String, String>,
}

/// Members of an error in OpenAI's shape; what is `None` is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
