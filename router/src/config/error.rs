//! Why a configuration is refused. No message quotes a key.

use std::io;
use std::str::FromStr;

use reqwest::Url;
use thiserror::Error;

/// Why a piece of configuration was refused, in one sentence without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Invalid {
    /// A base URL that cannot be read.
    #[error("the base URL `{url}` is not a URL: {source}")]
    NotAUrl {
        /// As it was written, without what may be a user and a password.
        url: String,
        /// What the parser says.
        source: <Url as FromStr>::Err,
    },
    /// A base URL with another scheme than `http`.
    #[error("the base URL `{0}` must start with http://")]
    NotHttp(String),
    /// A base URL that holds a secret, so that it is not quoted.
    #[error("a base URL holds no user and no password")]
    UserInUrl,
    /// A base URL with a query or a fragment.
    #[error("the base URL `{0}` must end with its path")]
    MoreThanAPath(String),
    /// A key that does not fit into a header, or that JSON would spell otherwise.
    #[error("a key is of visible ASCII characters, without blanks, quotes or backslashes")]
    KeyCharacters,
    /// A key that could not be told from ordinary text.
    #[error("a key has at least {min} characters")]
    ShortKey {
        /// How many it needs.
        min: usize,
    },
    /// A word that names no failure.
    #[error(
        "`{0}` is not a condition: it is `connection`, `timeout`, `invalid_response`, \
         `error_in_success`, `4xx`, `5xx` or a status from 400 to 599"
    )]
    UnknownCondition(String),
}

/// Why a configuration file cannot be used: `FILE:LINE:COLUMN: what is wrong`.
///
/// The message quotes no key.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct ConfigError(#[from] FileError);

/// [`ConfigError`], taken apart.
#[derive(Debug, Error)]
pub(super) enum FileError {
    #[error("{file}: cannot be read: {source}")]
    Unreadable { file: String, source: io::Error },
    /// `at` is `FILE:LINE:COLUMN`, or `FILE` where the parser knows no more.
    #[error("{at}: {problem}")]
    Unusable { at: String, problem: Problem },
}

/// What is wrong at one place of a configuration file.
#[derive(Debug, Error)]
pub(super) enum Problem {
    /// The parser's sentence, or that of an [`Invalid`]; without the source line, which may hold
    /// a key.
    #[error("{0}")]
    Unread(String),
    #[error("nobody could call: name a key, or leave `client_keys` out to let everybody in")]
    NoClientKey,
    #[error(
        "a deployment of openai has a `model`, and no `surface`, `deployment` or `api_version`"
    )]
    OpenAiMembers,
    #[error(
        "a deployment of azure on the v1 surface has a `deployment`, and no `model` or \
         `api_version`"
    )]
    AzureV1Members,
    #[error(
        "a deployment of azure on the legacy surface has a `deployment` and an `api_version`, and \
         no `model`"
    )]
    AzureLegacyMembers,
    #[error("`{0}` is not in `deployments`")]
    UnknownDeployment(String),
    #[error("`{0}` is in this chain already")]
    RepeatedDeployment(String),
    #[error("a chain names at least one deployment")]
    EmptyChain,
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::io;

    use crate::config::{BaseUrl, Config};

    #[test]
    fn what_lies_below_an_error_is_its_source() {
        let error = Config::load("/nowhere/router.yaml").expect_err("refused");
        assert!(error.source().is_some_and(<dyn Error>::is::<io::Error>), "{error:?}");
        let error = BaseUrl::try_from("nowhere".to_owned()).expect_err("refused");
        assert_eq!(
            error.source().map(ToString::to_string).as_deref(),
            Some("relative URL without a base")
        );
    }
}
