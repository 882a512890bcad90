//! The names that checks know, as data.

use std::path::Path;
use std::sync::LazyLock;

use fallproof_suite::yaml;
use serde::Deserialize;

const DOCUMENT: &str = include_str!("names.yaml");

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    yaml::parse(Path::new("harness/check/names.yaml"), DOCUMENT)
        .unwrap_or_else(|error| panic!("every run of a check reads the embedded names:\n{error}"))
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    gateways: OfGateways,
    headers: Headers,
}

/// What gateways take for their own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfGateways {
    headers: Vec<String>,
    /// Members of a body.
    pub(super) members: Vec<String>,
    /// Members of a body's `metadata`.
    pub(super) metadata: Vec<String>,
}

/// Headers with a meaning of their own, in lower case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Headers {
    /// They end with the connection.
    pub(super) connection: Vec<String>,
    /// They tell who and where the client is.
    pub(super) client: Vec<String>,
    /// They may hold a key.
    pub(super) keys: Vec<String>,
}

impl OfGateways {
    /// Whether a header steers or describes a gateway.
    pub(super) fn has_header(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.headers.iter().any(|prefix| name.starts_with(prefix))
    }
}

pub(super) fn of_gateways() -> &'static OfGateways {
    &NAMES.gateways
}

pub(super) fn headers() -> &'static Headers {
    &NAMES.headers
}

/// Whether `name` is one of these, as headers are compared.
pub(super) fn is_one_of(name: &str, names: &[String]) -> bool {
    names.iter().any(|it| it.eq_ignore_ascii_case(name))
}
