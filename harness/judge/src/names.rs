//! Names of headers and body members that the checks know, loaded from `names.yaml`.

use std::path::Path;
use std::sync::LazyLock;

use fallproof_suite::yaml;
use serde::Deserialize;

const DOCUMENT: &str = include_str!("names.yaml");

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    yaml::parse(Path::new("harness/judge/src/names.yaml"), DOCUMENT)
        .unwrap_or_else(|error| panic!("the embedded names.yaml is invalid:\n{error}"))
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    gateways: OfGateways,
    headers: Headers,
}

/// Headers and body members that gateways interpret themselves.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfGateways {
    /// Prefixes of header names, in lower case.
    headers: Vec<String>,
    /// Members of a body.
    pub(super) members: Vec<String>,
    /// Members of a body's `metadata`.
    pub(super) metadata: Vec<String>,
}

/// Headers with a special meaning, in lower case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Headers {
    /// Hop-by-hop headers.
    pub(super) connection: Vec<String>,
    /// Headers that identify or locate the client.
    pub(super) client: Vec<String>,
    /// Headers that may hold a credential.
    pub(super) keys: Vec<String>,
}

impl OfGateways {
    /// Whether a header controls or describes a gateway.
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

/// Whether `name` is one of these headers, ignoring case.
pub(super) fn is_one_of(name: &str, names: &[String]) -> bool {
    names.iter().any(|it| it.eq_ignore_ascii_case(name))
}
