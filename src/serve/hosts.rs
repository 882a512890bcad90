//! Who may use the admin API: programs, but no pages of other web sites.
//!
//! A page can make a browser send requests to a local port. If the page's own name resolves to this
//! machine (DNS rebinding), it can even read the responses, which hold prompts. So a request must
//! name this server by an address, by `localhost`, or by the advertised name, and a request that a
//! page sent must come from a page of this server.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName};

/// The names of the server.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    /// The host that clients are told, if it is not the address of `--listen`.
    pub(super) advertised: Option<String>,
}

impl Hosts {
    /// Checks a request. The error says why the request is refused.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        let Some(host) = text(headers, HOST) else {
            return Err("the request has no valid Host header".to_owned());
        };
        let name = host.parse::<Authority>().map_err(|error| error.to_string())?;
        if !self.is_ours(name.host()) {
            return Err(format!("this server is not `{}`; use its address", name.host()));
        }
        match headers.contains_key(ORIGIN).then(|| text(headers, ORIGIN)) {
            None => Ok(()),
            Some(Some(origin)) if origin == format!("http://{host}") => Ok(()),
            Some(_) => Err("pages of other sites cannot use this server".to_owned()),
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let is_advertised =
            self.advertised.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(host));
        // An address cannot be rebound: a page that has it as its host was loaded from it.
        address.parse::<IpAddr>().is_ok() || host.eq_ignore_ascii_case("localhost") || is_advertised
    }
}

/// The value of a header that occurs once.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn check(host: &str, origin: Option<&str>) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("a header value"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().expect("a header value"));
        }
        Hosts { advertised: Some("mocks.internal".to_owned()) }.check(&headers)
    }

    #[rstest]
    #[case::address("127.0.0.1:9103", None)]
    #[case::address_of_version_6("[::1]:9103", None)]
    #[case::name("localhost:9103", None)]
    #[case::advertised("mocks.internal:9103", None)]
    #[case::own_page("127.0.0.1:9103", Some("http://127.0.0.1:9103"))]
    fn a_program_may_use_the_admin_api(#[case] host: &str, #[case] origin: Option<&str>) {
        assert_eq!(check(host, origin), Ok(()));
    }

    #[rstest]
    #[case::rebound("evil.example:9103", None)]
    #[case::rebound_page("evil.example:9103", Some("http://evil.example:9103"))]
    #[case::other_page("127.0.0.1:9103", Some("https://evil.example"))]
    #[case::other_port("127.0.0.1:9103", Some("http://127.0.0.1:8080"))]
    #[case::sandboxed_page("127.0.0.1:9103", Some("null"))]
    #[case::no_host("a b", None)]
    fn a_page_of_another_site_may_not(#[case] host: &str, #[case] origin: Option<&str>) {
        assert!(check(host, origin).is_err(), "Host `{host}` with Origin {origin:?} was let in");
    }
}
