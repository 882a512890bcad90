//! Admin calls, which configure a gateway once it is ready.

use std::time::Duration;

use serde_json::Value;

use super::file::{Adapter, AdminCall, Each};
use super::fill::RenderError;
use super::http_client::{NoAnswer, http_client, read};
use super::render::Configuration;

/// Timeout of one call.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A failed admin call.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The adapter is invalid.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The rendered body is not JSON. Holds the path and the error.
    #[error("the body for POST {0} is not JSON: {1}")]
    NotJson(String, #[source] serde_json::Error),
    /// There was no response. Holds the path.
    #[error("POST {0} got no response: {1}")]
    NoAnswer(String, #[source] NoAnswer),
    /// The gateway rejected the call. Holds the path, the status and the response body.
    #[error("POST {0} got status {1}: {2}")]
    Refused(String, u16, String),
    /// The response lacks a value that the adapter keeps for later calls. Holds the path, the JSON
    /// pointer and the response body.
    #[error("POST {0} got a response without {1}: {2}")]
    MissingValue(String, String, String),
}

impl Adapter {
    /// Makes the admin calls, in order, to a gateway that listens at `authority` (`host:port`).
    pub async fn configure(
        &self,
        configuration: &Configuration,
        authority: &str,
    ) -> Result<(), AdminError> {
        if self.admin.is_empty() {
            return Ok(());
        }
        let client = http_client(TIMEOUT)
            .map_err(|error| AdminError::NoAnswer(authority.to_owned(), error.into()))?;
        let mut scope = configuration.scope.clone();
        for call in &self.admin {
            for (group, deployment) in owners(call.each, &scope.groups) {
                let context = match group {
                    Some(group) => scope.of_group(group, deployment),
                    None => scope.whole(),
                };
                let path = self.fill("admin.post", &call.post, &context)?;
                let body = self.fill("admin.body", &call.body, &context)?;
                let body: Value = serde_json::from_str(&body)
                    .map_err(|error| AdminError::NotJson(path.clone(), error))?;
                let url = format!("http://{authority}{path}");
                let answer = post(&client, &url, &body)
                    .await
                    .map_err(|error| AdminError::NoAnswer(path.clone(), error))?;
                let kept = keep(call, path, answer)?;
                if let Some(group) = group {
                    scope.keep(group, deployment, &kept);
                }
            }
        }
        Ok(())
    }
}

/// Returns one entry for each repetition of a call: the index of the group, and the index of the
/// deployment in the group.
fn owners(each: Each, groups: &[Value]) -> Vec<(Option<usize>, Option<usize>)> {
    let deployments = |group: usize| groups[group]["deployments"].as_array().map_or(0, Vec::len);
    match each {
        Each::Once => vec![(None, None)],
        Each::Group => (0..groups.len()).map(|group| (Some(group), None)).collect(),
        Each::Deployment => (0..groups.len())
            .flat_map(|group| {
                (0..deployments(group)).map(move |deployment| (Some(group), Some(deployment)))
            })
            .collect(),
    }
}

async fn post(
    client: &reqwest::Client,
    url: &str,
    body: &Value,
) -> Result<(reqwest::StatusCode, String), NoAnswer> {
    let call = client.post(url).header("content-type", "application/json").body(body.to_string());
    read(call.send().await?).await
}

fn keep(
    call: &AdminCall,
    path: String,
    (status, answer): (reqwest::StatusCode, String),
) -> Result<Vec<(String, Value)>, AdminError> {
    let shown = || brief(&answer);
    if !status.is_success() {
        return Err(AdminError::Refused(path, status.as_u16(), shown()));
    }
    let value: Value = serde_json::from_str(&answer).unwrap_or_default();
    call.keep
        .iter()
        .map(|(name, pointer)| match value.pointer(pointer) {
            Some(kept) => Ok((name.clone(), kept.clone())),
            None => Err(AdminError::MissingValue(path.clone(), pointer.clone(), shown())),
        })
        .collect()
}

/// The start of an answer that may be long.
fn brief(answer: &str) -> String {
    const MAX_CHARS: usize = 2_000;
    match answer.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}… ({} bytes)", &answer[..end], answer.len()),
        None => answer.to_owned(),
    }
}
