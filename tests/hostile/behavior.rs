//! The behaviors of a hostile target, as data.

use serde::Deserialize;

/// What a hostile target does with each call of its client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Behavior {
    pub(crate) name: String,
    /// One sentence for people.
    #[expect(dead_code, reason = "it documents the list")]
    pub(crate) what: String,
    /// What it does, in this order. Then it closes the connection.
    #[serde(rename = "do")]
    pub(crate) actions: Vec<Action>,
    /// What it does after it has closed the connection.
    #[serde(default)]
    pub(crate) afterwards: Vec<Action>,
    /// Whether it does so in the preflight calls, too. If not, it answers them as a gateway does.
    #[serde(default)]
    pub(crate) in_preflight: bool,
    /// What the terminal must say.
    #[serde(default)]
    pub(crate) says: Vec<String>,
    /// Whether the run prints a trace.
    #[serde(default)]
    pub(crate) trace: bool,
    /// Timeout of each client call, in seconds.
    #[serde(default = "soon")]
    pub(crate) timeout: f64,
    /// Too heavy for every run of the tests.
    #[serde(default)]
    pub(crate) heavy: bool,
}

fn soon() -> f64 {
    0.4
}

/// One step of a behavior. In each text, `{key}` is the key that the client sent, and
/// `{deployment_key}` is the key of the first deployment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Action {
    /// Sends this text to the client.
    Send(String),
    /// Sends this text to the client again and again.
    Repeat(Repeat),
    /// Sends this text to the client again and again, one byte at a time.
    Drip(Drip),
    /// Sends megabytes of zeros to the client, compressed with gzip.
    GzipBomb(usize),
    /// Sends this many bytes that cannot be compressed well to the client.
    Noise(usize),
    /// Sends numbered texts, in which `{n}` is the number.
    Count(Count),
    /// Waits, in milliseconds.
    Wait(u64),
    /// Keeps the connection open until the client leaves.
    Hold,
    /// Passes the call on to the first deployment, and the answer back to the client.
    Relay,
    /// Calls deployments.
    Attempt(Attempt),
    /// Accepts no more connections.
    StopListening,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repeat {
    pub(crate) text: String,
    /// How often; without end if absent.
    #[serde(default)]
    pub(crate) count: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drip {
    pub(crate) text: String,
    pub(crate) every_ms: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Count {
    pub(crate) text: String,
    pub(crate) to: u64,
}

/// Calls of deployments. Without further members, one valid call of the first deployment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Attempt {
    /// Number of calls; without end if it is 0.
    pub(crate) count: Option<u64>,
    /// Whether to call all deployments, not only the first.
    pub(crate) all: bool,
    /// Whether each call is made on a connection of its own that stays open.
    pub(crate) piled: bool,
    /// Header lines to add.
    pub(crate) headers: String,
    /// Number of bytes that a member of the body has.
    pub(crate) bytes: usize,
    /// Number of bytes of another member, which cannot be compressed well.
    pub(crate) noise: usize,
    /// Number of megabytes of the body, which is compressed with gzip; 0 for the usual body.
    pub(crate) gzip_bomb: usize,
    /// Number of members that the body has, each with another name.
    pub(crate) members: usize,
    /// Depth of an array in the body.
    pub(crate) depth: usize,
    /// What to send in place of a body, without a `content-length`.
    pub(crate) instead: Option<String>,
    /// What to send after that, without end.
    pub(crate) endless: Option<String>,
    /// Whether to leave without reading the answer.
    pub(crate) leaves: bool,
}

/// The behaviors of all files.
pub(crate) fn all() -> Vec<Behavior> {
    [include_str!("to_the_client.yaml"), include_str!("to_the_deployments.yaml")]
        .iter()
        .flat_map(|text| {
            serde_saphyr::from_str::<Vec<Behavior>>(text).unwrap_or_else(|error| panic!("{error}"))
        })
        .collect()
}
