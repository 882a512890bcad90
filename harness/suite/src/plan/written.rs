//! The serialized form of a plan. Omitted fields are derived from the others.

use fallproof_protocol::provider::Surface;
use indexmap::IndexMap;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Group, names};
use crate::scenario::{self, ONLY_GROUP, Settings};

impl Serialize for Group {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Group {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut group = Self::deserialize(deserializer)?;
        let slug = scenario::slug(&group.scenario);
        let name = match group.model.strip_prefix(&slug) {
            Some("") => Some(ONLY_GROUP),
            Some(rest) => rest.strip_prefix('.').filter(|name| !name.is_empty()),
            None => None,
        };
        let Some(name) = name else {
            let model = group.model;
            let message = format!("model `{model}` is not of the form `{slug}` or `{slug}.NAME`");
            return Err(D::Error::custom(message));
        };
        name.clone_into(&mut group.name);
        Ok(group)
    }
}

/// The serialized form of a deployment, which omits its prefix.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "Azure calls it the deployment's name")]
struct Deployment {
    name: String,
    provider: String,
    surface: String,
    model: String,
    deployment_name: String,
    host: String,
    base_url: String,
    api_version: Option<String>,
    organization: Option<String>,
    project: Option<String>,
    #[serde(default)]
    headers: IndexMap<String, String>,
    #[serde(default)]
    query: IndexMap<String, String>,
    key: String,
}

impl TryFrom<Deployment> for super::Deployment {
    type Error = String;

    fn try_from(written: Deployment) -> Result<Self, String> {
        let Deployment { name, model, deployment_name, host, base_url, api_version, key, .. } =
            written;
        let Deployment { organization, project, headers, query, .. } = written;
        let given = (written.provider.as_str(), written.surface.as_str());
        let surface_kind = Surface::ALL.into_iter().find(|surface| names(*surface) == given);
        let surface_kind = surface_kind
            .ok_or_else(|| format!("provider `{}` has no surface `{}`", given.0, given.1))?;
        let (provider, surface) = names(surface_kind);
        let path = host.strip_prefix("http://").and_then(|rest| Some(&rest[rest.find('/')?..]));
        let wrong =
            || format!("host `{host}` is not of the form `http://ADDRESS/GROUP/DEPLOYMENT`");
        let prefix = path.ok_or_else(wrong)?.to_owned();
        Ok(Self {
            name,
            provider,
            surface,
            model,
            deployment_name,
            host,
            base_url,
            api_version,
            settings: Settings { organization, project, headers, query },
            key,
            prefix,
            surface_kind,
        })
    }
}

impl<'de> Deserialize<'de> for super::Deployment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deployment::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}
