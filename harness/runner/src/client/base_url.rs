//! Where a target listens.

use std::fmt;

/// Where a target listens: a plain `http` URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// `host:port`.
    pub authority: String,
    /// The path before the endpoint, e.g. `/v1`; empty or with a leading and no trailing slash.
    pub path: String,
}

impl BaseUrl {
    /// Reads a target's URL.
    ///
    /// # Errors
    /// What is wrong with it, in words for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = reqwest::Url::parse(text).map_err(|error| {
            format!("`{text}` is not a URL ({error}); write http://127.0.0.1:4000/v1")
        })?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        if !is_plain || url.query().is_some() || url.fragment().is_some() {
            // It may hold a key, which an error must not repeat.
            return Err("a target's URL has no user, query or fragment; what the client's key is \
                        says --key, e.g. with http://127.0.0.1:4000/v1"
                .to_owned());
        }
        if url.scheme() != "http" {
            return Err(format!(
                "`{text}` is {}; targets are tested over plain http on loopback, e.g. http://127.0.0.1:4000/v1",
                url.scheme()
            ));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(format!("`{text}` names no host"));
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
