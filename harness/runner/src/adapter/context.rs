//! What the templates of an adapter can name.

use fallproof_protocol::provider::Surface;
use minijinja::value::Value as Context;
use minijinja::{Error, ErrorKind};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::file::Adapter;
use super::fill::RenderError;
use super::site::Site;
use super::template::{self, Expression};
use fallproof_suite::plan::{Group, Hop, Plan};

/// Where the deployments of a group stand.
const LISTS: [&str; 4] = ["hops", "chain", "on_context_length", "on_content_filter"];

/// Everything that a template of one start of a gateway can name.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Scope {
    gateway: Value,
    upstreams: String,
    /// The values of what is the same for the whole gateway.
    pub(super) settings: Map<String, Value>,
    /// The groups of the plan, each with its chain.
    pub(super) groups: Vec<Value>,
}

impl Scope {
    pub(super) fn new(site: &Site, plan: &Plan, settings: Map<String, Value>) -> Self {
        let mut hops = 0;
        let groups = plan.groups.iter().enumerate().map(|(index, planned)| {
            let group = group(planned, hops);
            hops += group["hops"].as_array().map_or(0, Vec::len);
            with(group, "number", index + 1)
        });
        Self {
            groups: groups.collect(),
            gateway: site.context(),
            upstreams: plan.upstreams.clone(),
            settings,
        }
    }

    /// Keeps what an answer told about a group, or about one of its deployments.
    pub(super) fn keep(&mut self, group: usize, hop: Option<usize>, kept: &[(String, Value)]) {
        let group = &mut self.groups[group];
        let remember = |owner: &mut Value| {
            for (name, value) in kept {
                owner["kept"][name] = value.clone();
            }
        };
        let Some(hop) = hop else { return remember(group) };
        let number = group["hops"][hop]["number"].clone();
        for list in LISTS {
            let hops = group[list].as_array_mut().into_iter().flatten();
            hops.filter(|hop| hop["number"] == number).for_each(remember);
        }
    }

    /// For templates about the gateway as a whole.
    pub(super) fn whole(&self) -> Context {
        template::context(self)
    }

    /// For templates about one group, and where `hop` is given about one of its deployments.
    pub(super) fn of_group(&self, group: usize, hop: Option<usize>) -> Context {
        let group = &self.groups[group];
        let mut scope = json!({
            "gateway": self.gateway,
            "upstreams": self.upstreams,
            "settings": self.settings,
            "group": group,
        });
        if let Some(hop) = hop {
            scope["hop"] = group["hops"][hop].clone();
        }
        template::context(scope)
    }
}

/// For expressions about one group.
pub(super) fn of_planned(planned: &Group) -> Context {
    template::context(json!({ "group": group(planned, 0) }))
}

impl Adapter {
    /// The values of what is the same for everything in one process of a gateway that serves this
    /// group.
    pub(super) fn settings_for(&self, group: &Group) -> Result<Map<String, Value>, RenderError> {
        let context = of_planned(group);
        let value = |expression: &Expression| {
            serde_json::to_value(expression.eval(&context)?)
                .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
        };
        let setting = |(name, expression): (&String, &Expression)| {
            let value = value(expression)
                .map_err(|error| self.render_error(expression.span(), "settings", &error))?;
            Ok((name.clone(), value))
        };
        self.settings.iter().map(setting).collect()
    }
}

/// A group as the plan has it, with what only templates need. Its deployments are numbered after
/// `before`.
fn group(planned: &Group, before: usize) -> Value {
    let mut hops = Vec::<&Hop>::new();
    for hop in planned.hops() {
        // One can be in the chain and on a detour.
        if hops.iter().all(|known| known.upstream != hop.upstream) {
            hops.push(hop);
        }
    }
    let described: Vec<_> = hops
        .iter()
        .enumerate()
        .map(|(index, hop)| with(self::hop(planned, hop), "number", before + index + 1))
        .collect();
    let list = |wanted: &[Hop]| -> Value {
        let place = |hop: &Hop| hops.iter().position(|known| known.upstream == hop.upstream);
        wanted.iter().filter_map(place).map(|place| described[place].clone()).collect()
    };
    let mut value = json!(planned);
    for optional in ["total_timeout_ms", "cooldown", "max_retry_after_ms", "fallback_on"] {
        value["policy"].as_object_mut().map(|policy| policy.entry(optional).or_insert(Value::Null));
    }
    value["name"] = planned.group.as_str().into();
    value["kept"] = json!({});
    value["providers"] = hops.iter().map(|hop| hop.provider).collect();
    value["surfaces"] = hops.iter().map(|hop| hop.surface).collect();
    value["chain"] = list(&planned.chain);
    value["on_context_length"] = list(&planned.on_context_length);
    value["on_content_filter"] = list(&planned.on_content_filter);
    value["hops"] = described.into();
    value
}

/// A deployment as the plan has it. Products cut its URL at different places.
fn hop(group: &Group, hop: &Hop) -> Value {
    let urls = group.endpoints.iter().map(|it| (it.path().to_owned(), url(hop, it.path()).into()));
    let mut value = json!(hop);
    value["urls"] = Value::Object(urls.collect());
    value["name"] = format!("{}.{}", group.group, hop.upstream).into();
    value["openai"] = format!("{}/openai", hop.host).into();
    value["deployments"] = format!("{}/openai/deployments", hop.host).into();
    value["kept"] = json!({});
    value
}

fn with(mut value: Value, name: &str, number: usize) -> Value {
    value[name] = number.into();
    value
}

/// The whole URL of an endpoint of a deployment.
fn url(hop: &Hop, path: &str) -> String {
    match (hop.surface(), &hop.api_version) {
        (Surface::AzureLegacy, Some(version)) => {
            let Hop { host, deployment, .. } = hop;
            format!("{host}/openai/deployments/{deployment}/{path}?api-version={version}")
        }
        _ => format!("{}/{path}", hop.base_url),
    }
}
