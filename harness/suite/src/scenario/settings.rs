//! What a gateway is configured to send to a deployment in addition to its credential.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// What a gateway is configured to send to a deployment in addition to its credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The `OpenAI` organization, sent in the `OpenAI-Organization` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The `OpenAI` project, sent in the `OpenAI-Project` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Additional headers.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, String>,
    /// Additional query parameters.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub query: IndexMap<String, String>,
}

impl Settings {
    /// Whether nothing is configured.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// All headers, with their values.
    pub fn all_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let organization = self.organization.as_deref().map(|it| ("openai-organization", it));
        let project = self.project.as_deref().map(|it| ("openai-project", it));
        let others = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        organization.into_iter().chain(project).chain(others)
    }
}
