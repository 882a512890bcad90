//! The base URL of a target.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use super::tls::Tls;

/// Base URL of a target, split into its parts.
#[derive(Debug, Clone)]
pub struct BaseUrl {
    /// `host:port`.
    pub authority: String,
    /// Path before the endpoint, e.g. `/v1`. If not empty, it starts with a slash and does not end
    /// with one.
    pub path: String,
    /// How to connect over TLS; `None` for plain `http`.
    pub tls: Option<Tls>,
}

impl BaseUrl {
    /// A plain `http` URL.
    pub fn plain(authority: String, path: &str) -> Self {
        Self { authority, path: path.to_owned(), tls: None }
    }

    /// Parses the URL of a target. The certificate of an `https` target must come from an authority
    /// in the PEM file `authority` or, without a file, from one that the system trusts.
    ///
    /// # Errors
    /// `text` is not a plain URL, or TLS cannot be set up. The error is a message for the user.
    pub fn parse(text: &str, authority: Option<&Path>) -> Result<Self, String> {
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
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(format!("`{text}` has no host"));
        };
        let tls = match (url.scheme(), authority) {
            ("https", authority) => {
                Some(Tls::new(host, authority).map_err(|error| error.to_string())?)
            }
            ("http", None) => None,
            ("http", Some(_)) => {
                return Err(format!("`{text}` does not use TLS: --ca is for https"));
            }
            (scheme, _) => {
                return Err(format!(
                    "`{text}` uses {scheme}; expected http or https, e.g. http://127.0.0.1:4000/v1"
                ));
            }
        };
        let path = url.path().trim_end_matches('/').to_owned();
        Ok(Self { authority: format!("{host}:{port}"), path, tls })
    }

    /// The host: a name, or an IP address. An IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        self.authority.rsplit_once(':').map_or(&self.authority, |(host, _)| host)
    }

    /// Whether the host is certainly this machine. The names of other hosts are not looked up.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.map_or_else(
            |_| host == "localhost" || host.ends_with(".localhost"),
            |address| address.to_canonical().is_loopback(),
        )
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}{}", self.scheme(), self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::address("http://127.0.0.1:4000/v1", true)]
    #[case::whole_network("http://127.8.9.1", true)]
    #[case::ipv6("http://[::1]:4000", true)]
    #[case::mapped("http://[::ffff:127.0.0.1]:4000", true)]
    #[case::name("http://localhost:4000", true)]
    #[case::below_the_name("http://gateway.localhost", true)]
    #[case::every_address("http://0.0.0.0:4000", false)]
    #[case::private_address("http://192.168.1.2:4000", false)]
    #[case::other_ipv6("http://[fd00::1]:4000", false)]
    #[case::other_name("http://gateway:4000", false)]
    #[case::name_that_starts_alike("http://localhost.example.com", false)]
    #[case::address_in_a_name("http://127.0.0.1.example.com", false)]
    fn only_this_machine_is_loopback(#[case] url: &str, #[case] wanted: bool) {
        assert_eq!(BaseUrl::parse(url, None).expect("a URL").is_loopback(), wanted);
    }

    #[test]
    fn an_authority_is_only_for_https() {
        let error = BaseUrl::parse("http://127.0.0.1:4000", Some(Path::new("ca.pem")));
        let error = error.expect_err("http has no certificates");
        assert!(error.contains("--ca is for https"), "{error}");
    }
}
