//! The HTTP client of admin calls and readiness checks.

use std::time::Duration;

use reqwest::redirect::Policy;

/// Creates a client that sends each request only to the address that it is for: it uses no proxy and
/// follows no redirect, because requests carry keys.
pub(super) fn http_client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().redirect(Policy::none()).timeout(timeout).build()
}
