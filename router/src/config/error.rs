//! Errors in a configuration. Their messages never contain an API key.

use std::io;
use std::str::FromStr;

use reqwest::Url;
use thiserror::Error;

/// Why a value is invalid. The message is one sentence without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Invalid {
    /// The base URL cannot be parsed.
    #[error("the base URL `{url}` is not a URL: {source}")]
    NotAUrl {
        /// The URL as written in the configuration, but without user and password.
        url: String,
        /// The parser's error.
        source: <Url as FromStr>::Err,
    },
    /// The scheme of the base URL is not `http`.
    #[error("the base URL `{0}` must start with http://")]
    NotHttp(String),
    /// The base URL contains a user or a password. Therefore, the message does not contain the URL.
    #[error("a base URL must not contain a user or password")]
    UserInUrl,
    /// The base URL has a query or a fragment.
    #[error("the base URL `{0}` must not have a query or fragment")]
    MoreThanAPath(String),
    /// The API key is not a valid header value, or JSON would escape it.
    #[error("a key must be visible ASCII, without spaces, quotes or backslashes")]
    KeyCharacters,
    /// The API key is so short that ordinary text could be mistaken for it.
    #[error("a key needs at least {min} characters")]
    ShortKey {
        /// Minimum length.
        min: usize,
    },
    /// The condition is unknown.
    #[error(
        "`{0}` is not a condition: use `connection`, `timeout`, `invalid_response`, \
         `error_in_success`, `4xx`, `5xx` or a status from 400 to 599"
    )]
    UnknownCondition(String),
}

/// Why a configuration file is invalid: `FILE:LINE:COLUMN: problem`.
///
/// The message never contains an API key.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct ConfigError(#[from] FileError);

/// The kinds of [`ConfigError`].
#[derive(Debug, Error)]
pub(super) enum FileError {
    #[error("{file}: cannot read: {source}")]
    Unreadable { file: String, source: io::Error },
    /// `at` is `FILE:LINE:COLUMN`, or `FILE` if the position is unknown.
    #[error("{at}: {problem}")]
    Unusable { at: String, problem: Problem },
}

/// A problem at one position in a configuration file.
#[derive(Debug, Error)]
pub(super) enum Problem {
    /// The message from the parser or from an [`Invalid`]. It does not include the source line,
    /// which may contain an API key.
    #[error("{0}")]
    Unread(String),
    #[error("`client_keys` is empty: add a key, or omit it to accept every client")]
    NoClientKey,
    #[error("an openai deployment needs `model`, without `surface`, `deployment` or `api_version`")]
    OpenAiMembers,
    #[error(
        "an azure deployment on the v1 surface needs `deployment`, without `model` or \
         `api_version`"
    )]
    AzureV1Members,
    #[error(
        "an azure deployment on the legacy surface needs `deployment` and `api_version`, \
         without `model`"
    )]
    AzureLegacyMembers,
    #[error("`{0}` is not a header that a deployment can have, or its value is not valid")]
    Header(String),
    #[error("`{0}` is not in `deployments`")]
    UnknownDeployment(String),
    #[error("`{0}` is already in this chain")]
    RepeatedDeployment(String),
    #[error("a chain needs at least one deployment")]
    EmptyChain,
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::io;

    use crate::config::{BaseUrl, Config};

    #[test]
    fn an_error_has_its_cause_as_source() {
        let error = Config::load("/nowhere/router.yaml").expect_err("refused");
        assert!(error.source().is_some_and(<dyn Error>::is::<io::Error>), "{error:?}");
        let error = BaseUrl::try_from("nowhere".to_owned()).expect_err("refused");
        assert_eq!(
            error.source().map(ToString::to_string).as_deref(),
            Some("relative URL without a base")
        );
    }
}
