//! An adapter as its file spells it. The JSON Schema comes from here.

use std::path::{Path, PathBuf};

use fallproof_protocol::provider::Endpoint;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::template::{Expression, Template};
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::yaml::{At, Optional, Source};

/// How one gateway product is configured, started and spoken to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Fallproof adapter")]
pub struct Adapter {
    /// Its file's name without extension: what it is called on the command line.
    #[serde(skip)]
    pub id: String,
    /// Its text, for errors that are found in it later; always there once it is read.
    #[serde(skip)]
    pub(super) source: Option<Source>,
    /// The product's own name.
    pub name: String,
    /// What it is, in one sentence.
    pub about: String,
    /// Where it lives.
    pub home: String,
    /// Under which licence.
    pub license: String,
    /// The versions that it was tried with, the newest first.
    #[schemars(length(min = 1))]
    pub(super) versions: At<Vec<Version>>,
    /// How clients speak to it.
    #[serde(default)]
    pub client: Client,
    /// Whether a group may have another name than its deployments. Where not, deployments and models
    /// go by the name of their group.
    #[serde(default = "yes")]
    pub renames: bool,
    /// What it says of itself.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// What is the same for everything in one process of the gateway: a name, and the expression
    /// over a `group` that gives its value. Groups that differ in one need a start of their own.
    #[serde(default)]
    pub(super) settings: IndexMap<String, Expression>,
    /// Groups that it cannot be configured for.
    #[serde(default)]
    pub(super) cannot: Vec<Cannot>,
    /// Its configuration: file names, and the templates of what is in them.
    #[serde(default)]
    pub(super) files: IndexMap<At<String>, Template>,
    /// Calls that configure it once it is ready.
    #[serde(default)]
    pub(super) admin: Vec<AdminCall>,
    /// How to start and stop it.
    pub(super) launch: Launch,
    /// What it remembers from one request to the next.
    #[serde(default)]
    pub state: State,
    /// How many scenarios may run side by side.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub jobs: usize,
}

/// One tried version.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// The version.
    pub version: String,
    /// What is to be known about it.
    #[serde(default)]
    pub about: Optional<String>,
    /// The commands that install it and what it depends on, pinned; `{{ home }}` is the folder that
    /// they install into.
    pub(super) install: Vec<Template>,
}

/// How clients speak to it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// The path before an endpoint.
    pub base: String,
    /// Whole paths of endpoints that are elsewhere.
    pub paths: IndexMap<Endpoint, String>,
    /// Headers of each call; lines are joined with a blank.
    pub(super) headers: IndexMap<String, Template>,
    /// What a client writes for `model` to ask for a group.
    pub(super) model: Template,
}

impl Default for Client {
    fn default() -> Self {
        let bearer = Template::from("Bearer {{ gateway.key }}");
        Self {
            base: "/v1".to_owned(),
            paths: IndexMap::new(),
            headers: IndexMap::from([("authorization".to_owned(), bearer)]),
            model: Template::from("{{ group.name }}"),
        }
    }
}

/// Groups that it cannot be configured for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cannot {
    /// An expression over a `group` that says which.
    pub(super) when: Expression,
    /// Why not, in words.
    pub(super) reason: String,
}

/// A call that configures it once it is ready. It must be answered with a 2xx.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdminCall {
    /// Whether it is called once, for each group, or for each deployment; first all groups or
    /// deployments, then the next call.
    pub(super) each: Each,
    /// The path to POST to.
    pub(super) post: Template,
    /// The body, a template of JSON.
    pub(super) body: Template,
    /// What later calls need of the answer: a name, and a JSON pointer into it. They find it as
    /// `group.kept.NAME` or `deployment.kept.NAME`.
    #[serde(default)]
    pub(super) keep: IndexMap<String, String>,
}

/// What a call is repeated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Each {
    /// Nothing.
    Once,
    /// Each group of the plan.
    Group,
    /// Each deployment of each group.
    Deployment,
}

/// How to start and stop it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Launch {
    /// The program, below the installation's folder; else its last part is looked for on PATH.
    pub(super) program: PathBuf,
    /// Its arguments.
    #[serde(default)]
    pub(super) arguments: Vec<Template>,
    /// Environment variables beside PATH, HOME (a folder of the run's own) and `NO_PROXY`.
    #[serde(default)]
    pub(super) environment: IndexMap<String, Template>,
    /// A command that prints the version that is installed.
    #[serde(default)]
    pub(super) version: Vec<Template>,
    /// How it is seen to be ready.
    pub(super) ready: Ready,
    /// The signal that ends it.
    #[serde(default)]
    pub(super) stop: Signal,
    /// The signal that makes it read its files again, where it can: then it is started once only.
    #[serde(default)]
    pub(super) reload: Optional<At<Signal>>,
}

/// How it is seen to be ready.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ready {
    /// The path that answers a GET with 2xx once it is; without one, a connection is enough.
    #[serde(default)]
    pub(super) path: Optional<String>,
    /// Words that the answer at `path` holds once its files are read.
    #[serde(default)]
    pub(super) contains: Optional<Template>,
    /// Where it chooses its port by itself: what it prints right before its `host:port`.
    #[serde(default)]
    pub(super) address_after: Optional<String>,
    /// How long it may take, in seconds.
    pub(super) seconds: f64,
    /// How much longer for each group, in seconds.
    #[serde(default)]
    pub(super) seconds_per_group: f64,
}

/// A signal of POSIX. Elsewhere a program is ended the hard way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Signal {
    /// SIGTERM
    #[default]
    Term,
    /// SIGINT
    Int,
    /// SIGHUP
    Hup,
}

/// What it remembers from one request to the next. Groups and deployments are private to their
/// scenario in any case.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    /// What it keeps, in words.
    pub keeps: Optional<String>,
    /// What rids it of that.
    pub reset: Reset,
}

/// What rids a gateway of what it remembers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reset {
    /// Nothing is needed: what it keeps, it keeps for a group or a deployment.
    #[default]
    None,
    /// A new start: each scenario gets a gateway of its own.
    Restart,
}

impl Adapter {
    /// The versions that it was tried with, the newest first; never empty.
    pub fn versions(&self) -> &[Version] {
        &self.versions.value
    }

    /// Where the program is in an installation.
    pub fn program(&self) -> &Path {
        &self.launch.program
    }

    /// Whether it takes another configuration without a new start.
    pub fn reloads(&self) -> bool {
        self.launch.reload.0.is_some()
    }

    /// The text of its file.
    pub fn text(&self) -> &str {
        self.source.as_ref().map_or("", Source::as_str)
    }
}

fn yes() -> bool {
    true
}

fn one() -> usize {
    1
}

/// The JSON Schema of adapter files, for editors: the text of `harness/runner/adapters/schema.json`.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Adapter).to_value())
}
