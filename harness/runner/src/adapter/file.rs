//! The adapter file format. The JSON Schema is generated from these types.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use fallproof_protocol::condition::Condition;
use fallproof_protocol::provider::Endpoint;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::template::{Expression, Template};
use fallproof_suite::capabilities::{Capabilities, Rewrite, Translation};
use fallproof_suite::feature::Feature;
use fallproof_suite::requirement::{Code, PolicyCode};
use fallproof_suite::yaml::{At, Optional, Source};

/// How to configure, start and call one gateway product.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Fallproof adapter")]
pub struct Adapter {
    /// Name of the file without extension. This is the adapter's name on the command line.
    #[serde(skip)]
    pub id: String,
    /// Source text, for later error messages. Always set after reading.
    #[serde(skip)]
    pub(super) source: Option<Source>,
    /// Folder of the file; `None` for a built-in adapter.
    #[serde(skip)]
    pub(super) folder: Option<PathBuf>,
    /// Name of the chosen variant; `None` if the adapter's settings are used unchanged.
    #[serde(skip)]
    pub chosen: Option<String>,
    /// Name of the product.
    pub name: String,
    /// Description of the product, in one sentence.
    pub about: String,
    /// URL of the product.
    pub home: String,
    /// License of the product.
    pub license: String,
    /// Tested versions, newest first.
    #[schemars(length(min = 1))]
    pub(super) versions: At<Vec<Version>>,
    /// How clients call the gateway.
    #[serde(default)]
    pub client: Client,
    /// Whether a group may have a different name than its deployments. If not, each deployment and
    /// its model have the name of their group.
    #[serde(default = "yes")]
    pub renames: bool,
    /// What the gateway supports and claims.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// Global settings of the gateway. Maps a name to an expression, which returns the value that a
    /// `group` needs. The gateway is started once for each combination of values.
    #[serde(default)]
    pub(super) settings: IndexMap<String, Expression>,
    /// Named sets of settings. `--variant NAME` runs the gateway with one of them.
    #[serde(default)]
    pub variants: IndexMap<String, Variant>,
    /// Groups that the gateway cannot be configured for.
    #[serde(default)]
    pub(super) cannot: Vec<Cannot>,
    /// Configuration files. Maps a file name to the template of its content.
    #[serde(default)]
    pub(super) files: IndexMap<At<String>, Template>,
    /// Calls that configure the gateway once it is ready.
    #[serde(default)]
    pub(super) admin: Vec<AdminCall>,
    /// How to start and stop the gateway.
    pub(super) launch: Launch,
    /// State that the gateway keeps across requests.
    #[serde(default)]
    pub state: State,
    /// Number of scenarios that may run in parallel.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub jobs: usize,
    /// Maximum number of groups in one configuration of the gateway; unlimited by default. If there
    /// are more groups, the gateway is started several times.
    #[serde(default)]
    pub groups_per_start: Option<NonZeroUsize>,
    /// Number of gateway processes that may run in parallel, each with its own port and folder; at
    /// most one per processor. A gateway that can reload always has one process.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub processes: usize,
}

/// A tested version.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Version number.
    pub version: String,
    /// Remark about the version.
    #[serde(default)]
    pub about: Optional<String>,
    /// Shell commands that install this version, with pinned dependencies. `{{ home }}` is the
    /// installation directory.
    pub(super) install: Vec<Template>,
}

/// How clients call the gateway.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// Path prefix of the endpoints.
    pub base: String,
    /// Full paths of endpoints that are not below `base`.
    pub paths: IndexMap<Endpoint, String>,
    /// Headers of each call. Multiple lines are joined with spaces.
    pub(super) headers: IndexMap<String, Template>,
    /// Value of `model` in requests for a group.
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

/// A named set of settings, with what the gateway claims under them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// How the variant differs from the default settings, in one sentence.
    pub about: String,
    /// Overrides the adapter's settings that have the same names.
    #[serde(default)]
    pub(super) settings: IndexMap<At<String>, Expression>,
    /// Replaces the adapter's capabilities with the same YAML keys.
    #[serde(default)]
    pub(super) capabilities: Replaced,
    /// More groups that cannot be configured in the gateway.
    #[serde(default)]
    pub(super) cannot: Vec<Cannot>,
}

/// The capabilities that a variant can replace.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Replaced {
    pub(super) unsupported: Option<IndexMap<Feature, String>>,
    pub(super) fallback_on: Option<Vec<Condition>>,
    #[schemars(with = "Option<IndexMap<PolicyCode, String>>")]
    pub(super) waived: Option<IndexMap<Code, String>>,
    pub(super) own_cooldown: Option<String>,
    pub(super) rewrites: Option<Vec<Rewrite>>,
    pub(super) translates: Option<Vec<Translation>>,
}

/// Groups that the gateway cannot be configured for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cannot {
    /// Expression over a `group` that is true for these groups.
    pub(super) when: Expression,
    /// Reason, shown to the user.
    pub(super) reason: String,
}

/// A call that configures the gateway once it is ready. The response must have a 2xx status.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdminCall {
    /// What the call is repeated for. All repetitions come before the next call in the list.
    pub(super) each: Each,
    /// Path of the POST request.
    pub(super) post: Template,
    /// Template of the request's JSON body.
    pub(super) body: Template,
    /// Values from the response that are kept for later calls. Maps a name to a JSON pointer. A
    /// later call can use the value as `group.kept.NAME` or `deployment.kept.NAME`.
    #[serde(default)]
    pub(super) keep: IndexMap<String, String>,
}

/// What a call is repeated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Each {
    /// Not repeated.
    Once,
    /// Each group of the plan.
    Group,
    /// Each deployment of each group.
    Deployment,
}

/// How to start and stop the gateway.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Launch {
    /// Path of the program, relative to the installation directory. If the program is not there,
    /// PATH is searched for its file name.
    pub(super) program: PathBuf,
    /// Arguments of the program.
    #[serde(default)]
    pub(super) arguments: Vec<Template>,
    /// Environment variables, in addition to PATH, HOME (a directory of the run) and `NO_PROXY`.
    #[serde(default)]
    pub(super) environment: IndexMap<String, Template>,
    /// Command that prints the installed version.
    #[serde(default)]
    pub(super) version: Vec<Template>,
    /// How to detect that the gateway is ready.
    pub(super) ready: Ready,
    /// Signal that stops the gateway.
    #[serde(default)]
    pub(super) stop: Signal,
    /// Signal that makes the gateway reload its files. If set, the gateway is started only once.
    #[serde(default)]
    pub(super) reload: Optional<At<Signal>>,
}

/// How to detect that the gateway is ready.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ready {
    /// Path at which GET returns 2xx once the gateway is ready. By default, the gateway is ready
    /// when it accepts a connection.
    #[serde(default)]
    pub(super) path: Optional<String>,
    /// Text that the response at `path` contains once the files are loaded.
    #[serde(default)]
    pub(super) contains: Optional<Template>,
    /// If the gateway chooses its own port, the text that it prints directly before `host:port`.
    #[serde(default)]
    pub(super) address_after: Optional<String>,
    /// Timeout, in seconds.
    pub(super) seconds: At<f64>,
    /// Additional timeout for each group, in seconds.
    #[serde(default)]
    pub(super) seconds_per_group: Optional<At<f64>>,
}

/// A POSIX signal. On systems without signals, the program is killed.
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

/// State that the gateway keeps across requests. State of a single group or deployment is harmless,
/// because scenarios never share groups or deployments.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    /// Description of the state.
    pub keeps: Optional<String>,
    /// How to reset the state.
    pub reset: Reset,
}

/// How to reset the state of a gateway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reset {
    /// No reset is needed: the state is separate for each group or deployment.
    #[default]
    None,
    /// A restart: each scenario gets its own gateway process.
    Restart,
}

impl Adapter {
    /// Whether it comes with Fallproof, and not from a file of the user's.
    pub fn is_built_in(&self) -> bool {
        self.folder.is_none()
    }

    /// Returns the tested versions, newest first. Never empty.
    pub fn versions(&self) -> &[Version] {
        &self.versions.value
    }

    /// Path of the program, relative to the installation directory.
    pub fn program(&self) -> &Path {
        &self.launch.program
    }

    /// Whether the gateway can reload its configuration without a restart.
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

/// Returns the JSON Schema of adapter files: the content of `harness/runner/adapters/schema.json`.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Adapter).to_value())
}
