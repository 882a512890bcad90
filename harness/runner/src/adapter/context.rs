//! The values that an adapter's templates can use.

use fallproof_protocol::provider::Surface;
use minijinja::value::Value as Context;
use minijinja::{Error, ErrorKind};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::file::Adapter;
use super::fill::RenderError;
use super::site::Site;
use super::template::{self, Expression};
use fallproof_suite::plan::{Deployment, Group, Plan};

/// The fields of a group that hold lists of deployments.
const LISTS: [&str; 4] = ["deployments", "chain", "on_context_length", "on_content_filter"];

/// The values for the templates of one start of a gateway.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Scope {
    adapter: Value,
    gateway: Value,
    /// Address of the mock server.
    mocks: String,
    /// Values of the gateway's global settings.
    pub(super) settings: Map<String, Value>,
    /// The groups of the plan, each with its chain.
    pub(super) groups: Vec<Value>,
}

impl Scope {
    pub(super) fn new(
        adapter: &Adapter,
        site: &Site,
        plan: &Plan,
        settings: Map<String, Value>,
    ) -> Self {
        let mut deployments = 0;
        let groups = plan.groups.iter().enumerate().map(|(index, planned)| {
            let group = group(planned, deployments);
            deployments += group["deployments"].as_array().map_or(0, Vec::len);
            with(group, "number", index + 1)
        });
        Self {
            groups: groups.collect(),
            adapter: adapter.context(),
            gateway: site.context(),
            mocks: plan.mocks.clone(),
            settings,
        }
    }

    /// Stores values from a response, either for a group or for one of its deployments.
    pub(super) fn keep(
        &mut self,
        group: usize,
        deployment: Option<usize>,
        kept: &[(String, Value)],
    ) {
        let group = &mut self.groups[group];
        let store = |owner: &mut Value| {
            for (name, value) in kept {
                owner["kept"][name] = value.clone();
            }
        };
        let Some(deployment) = deployment else { return store(group) };
        let number = group["deployments"][deployment]["number"].clone();
        for list in LISTS {
            let deployments = group[list].as_array_mut().into_iter().flatten();
            deployments.filter(|deployment| deployment["number"] == number).for_each(store);
        }
    }

    /// Context for templates about the gateway.
    pub(super) fn whole(&self) -> Context {
        template::context(self)
    }

    /// Context for templates about a group or, if `deployment` is given, about one of its
    /// deployments.
    pub(super) fn of_group(&self, group: usize, deployment: Option<usize>) -> Context {
        let group = &self.groups[group];
        let mut scope = json!({
            "adapter": self.adapter,
            "gateway": self.gateway,
            "mocks": self.mocks,
            "settings": self.settings,
            "group": group,
        });
        if let Some(deployment) = deployment {
            scope["deployment"] = group["deployments"][deployment].clone();
        }
        template::context(scope)
    }
}

/// Context for expressions about a group.
pub(super) fn of_planned(planned: &Group) -> Context {
    template::context(json!({ "group": group(planned, 0) }))
}

impl Adapter {
    /// Value of `adapter` in templates. A built-in adapter has no folder.
    pub(super) fn context(&self) -> Value {
        self.folder.as_ref().map_or_else(|| json!({}), |folder| json!({ "folder": folder }))
    }

    /// Returns the values of the global settings for a gateway that serves this group.
    pub(super) fn settings_for(&self, group: &Group) -> Result<Map<String, Value>, RenderError> {
        let context = of_planned(group);
        let value = |expression: &Expression| {
            serde_json::to_value(expression.eval(&context)?)
                .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
        };
        let setting = |(name, expression): (&String, &Expression)| {
            let value = value(expression)
                .map_err(|error| self.eval_error(expression.span(), "settings", &error))?;
            Ok((name.clone(), value))
        };
        self.settings.iter().map(setting).collect()
    }
}

/// A group of a plan, with additional values for templates. Its deployments are numbered from
/// `before + 1`.
fn group(planned: &Group, before: usize) -> Value {
    let mut deployments = Vec::<&Deployment>::new();
    for deployment in planned.deployments() {
        // A deployment can be in more than one chain.
        if deployments.iter().all(|known| known.name != deployment.name) {
            deployments.push(deployment);
        }
    }
    let described: Vec<_> = deployments
        .iter()
        .enumerate()
        .map(|(index, deployment)| {
            with(self::deployment(planned, deployment), "number", before + index + 1)
        })
        .collect();
    let list = |wanted: &[Deployment]| -> Value {
        let index_of = |it: &Deployment| deployments.iter().position(|known| known.name == it.name);
        wanted.iter().filter_map(index_of).map(|index| described[index].clone()).collect()
    };
    let mut value = json!(planned);
    for optional in ["total_timeout_ms", "cooldown", "max_retry_after_ms", "fallback_on"] {
        value["policy"].as_object_mut().map(|policy| policy.entry(optional).or_insert(Value::Null));
    }
    value["name"] = planned.model.as_str().into();
    value["kept"] = json!({});
    value["providers"] = deployments.iter().map(|deployment| deployment.provider).collect();
    value["surfaces"] = deployments.iter().map(|deployment| deployment.surface).collect();
    value["chain"] = list(&planned.chain);
    value["on_context_length"] = list(&planned.on_context_length);
    value["on_content_filter"] = list(&planned.on_content_filter);
    value["deployments"] = described.into();
    value
}

/// The deployment of a plan, with its URL in the various forms that gateways expect.
fn deployment(group: &Group, deployment: &Deployment) -> Value {
    let urls =
        group.endpoints.iter().map(|it| (it.path().to_owned(), url(deployment, it.path()).into()));
    let mut value = json!(deployment);
    for (optional, absent) in [
        ("organization", Value::Null),
        ("project", Value::Null),
        ("headers", json!({})),
        ("query", json!({})),
    ] {
        value.as_object_mut().map(|fields| fields.entry(optional).or_insert(absent));
    }
    value["urls"] = Value::Object(urls.collect());
    value["id"] = format!("{}.{}", group.model, deployment.name).into();
    value["openai"] = format!("{}/openai", deployment.host).into();
    value["deployments"] = format!("{}/openai/deployments", deployment.host).into();
    value["kept"] = json!({});
    value
}

/// Returns the value with one more field.
fn with(mut value: Value, name: &str, number: usize) -> Value {
    value[name] = number.into();
    value
}

/// The full URL of an endpoint of a deployment.
fn url(deployment: &Deployment, path: &str) -> String {
    match (deployment.surface(), &deployment.api_version) {
        // Azure's responses are not below a deployment.
        (Surface::AzureLegacy, Some(version)) if path.starts_with("responses") => {
            format!("{}/openai/{path}?api-version={version}", deployment.host)
        }
        (Surface::AzureLegacy, Some(version)) => {
            let Deployment { host, deployment_name, .. } = deployment;
            format!("{host}/openai/deployments/{deployment_name}/{path}?api-version={version}")
        }
        _ => format!("{}/{path}", deployment.base_url),
    }
}
