//! Base URLs of deployments.

use reqwest::Url;
use serde::Deserialize;

use super::error::Invalid;

/// An `http` URL to which endpoint paths are appended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl(pub(super) Url);

impl TryFrom<String> for BaseUrl {
    type Error = Invalid;

    /// # Errors
    /// The string is not a URL, does not start with `http:`, or contains a user, a password, a
    /// query or a fragment. The router does not support TLS: run it next to the deployments, or let
    /// it connect through a proxy that adds TLS.
    fn try_from(text: String) -> Result<Self, Invalid> {
        let url = Url::parse(&text)
            .map_err(|source| Invalid::NotAUrl { url: without_user(&text), source })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Invalid::UserInUrl);
        }
        if url.scheme() != "http" {
            return Err(Invalid::NotHttp(without_user(&text)));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Invalid::MoreThanAPath(text));
        }
        Ok(Self(url))
    }
}

/// The string in a form that is safe to print: without the part before `@`, which may contain a
/// password.
fn without_user(text: &str) -> String {
    text.rsplit('@').next().unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("127.0.0.1:9100/v1", "is not a URL")]
    #[case("https://api.openai.com/v1", "must start with http://")]
    #[case("http://host/v1?x=1", "must not have a query or fragment")]
    #[case("http://user:hunter2@host/v1", "must not contain a user or password")]
    #[case("https://user:hunter2@host/v1", "must not contain a user or password")]
    #[case("user:hunter2@host/v1", "must start with http://")]
    #[case("http://user:hunter2@host:65536/v1", "`host:65536/v1` is not a URL")]
    fn a_base_url_that_cannot_be_used_is_refused(#[case] text: &str, #[case] why: &str) {
        let message = BaseUrl::try_from(text.to_owned()).expect_err("refused").to_string();
        assert!(message.contains(why) && !message.contains("hunter2"), "{message}");
    }
}
