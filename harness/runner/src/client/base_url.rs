//! The base URL of a target.

use std::fmt;

/// Base URL of a target: a plain `http` URL, split into its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// `host:port`.
    pub authority: String,
    /// Path before the endpoint, e.g. `/v1`. If not empty, it starts with a slash and does not end
    /// with one.
    pub path: String,
}

impl BaseUrl {
    /// Parses the URL of a target.
    ///
    /// # Errors
    /// `text` is not a plain `http` URL. The error is a message for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = reqwest::Url::parse(text).map_err(|error| {
            format!("`{text}` is not a URL ({error}); expected e.g. http://127.0.0.1:4000/v1")
        })?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        if !is_plain || url.query().is_some() || url.fragment().is_some() {
            // The URL may contain a credential, which the message must not repeat.
            return Err("the target's URL must not have a user, query or fragment, e.g. \
                        http://127.0.0.1:4000/v1; pass the client's key with --key"
                .to_owned());
        }
        if url.scheme() != "http" {
            return Err(format!(
                "`{text}` uses {}; targets are tested over plain http on loopback, e.g. \
                 http://127.0.0.1:4000/v1",
                url.scheme()
            ));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(format!("`{text}` has no host"));
        };
        let path = url.path().trim_end_matches('/').to_owned();
        Ok(Self { authority: format!("{host}:{port}"), path })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.authority, self.path)
    }
}
