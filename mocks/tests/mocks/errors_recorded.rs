//! Compares every known error from the live providers, byte for byte, with the reply of the mocks.

use fallproof_mocks::Reply;
use fallproof_mocks::errors::{EdgeRefusal, behavior, edge, refusal};
use fallproof_mocks::provider::{Deployment, Endpoint, Surface};
use fallproof_strict::check;
use serde::Deserialize;
use serde_json::Value;

/// A row in `errors_recorded.yaml`. The comment at the top of that file describes the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    seen: String,
    on: (Surface, String),
    #[serde(default = "any_model")]
    model: String,
    says: String,
    with: (u16, Option<String>, Option<String>, Option<String>),
    layout: Option<Layout>,
    raw: Option<String>,
    bytes: Option<usize>,
    #[serde(default)]
    headers: Vec<String>,
    play: Option<Play>,
    repeat: Option<(String, usize, String)>,
    not_played: Option<String>,
    #[expect(dead_code, reason = "for readers of the file")]
    source: Option<String>,
}

fn any_model() -> String {
    "gpt-4.1".to_owned()
}

/// How a layer of a provider formats an error.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Layout {
    TwoSpaces,
    TwoSpacesAndLine,
    FourSpaces,
    OneLine,
    OneLineWithBlank,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Play {
    Send(String),
    Script(String),
    UnknownModel(String),
    UnlistedModel(String),
    WrongKey(String),
    UnknownPath(String),
    WrongMethod(String),
    Edge(Edge),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Edge {
    ApiVersion,
    ApiVersionTooOld,
    MissingKey,
    InvalidJson,
}

fn rows() -> Vec<Row> {
    serde_saphyr::from_str(include_str!("errors_recorded.yaml")).expect("rows")
}

#[test]
fn the_mocks_reply_like_the_live_providers() {
    let wrong: Vec<_> = rows().iter().filter_map(|row| wrong(row).err()).collect();
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_recorded_error_is_either_played_or_has_a_reason() {
    for row in rows() {
        assert_ne!(row.play.is_some(), row.not_played.is_some(), "{}", row.says);
        let whole = row.layout.is_some() != row.raw.is_some();
        assert!(whole || row.not_played.is_some(), "{}", row.says);
    }
}

/// Returns an error with the mock's reply if the reply differs from the row.
fn wrong(row: &Row) -> Result<(), String> {
    let Some(play) = &row.play else { return Ok(()) };
    let explain = |got: &str| {
        format!("{} on {:?}\n  expected {}\n  got      {got}", row.seen, row.on, row.says)
    };
    let reply = played(row, play).ok_or_else(|| explain("no error"))?;
    let got = std::str::from_utf8(&reply.body).expect("UTF-8");
    if row.bytes.is_some_and(|bytes| bytes != got.len()) {
        return Err(explain(&format!("{} bytes: {got}", got.len())));
    }
    if let Some(missing) = row.headers.iter().find(|header| !has(&reply, header)) {
        return Err(explain(&format!("no `{missing}` in {:?}", reply.headers)));
    }
    let (got, expected) = (without_id(&reply, got), expected(row));
    if (reply.status, &got) == (row.with.0, &expected) {
        Ok(())
    } else {
        Err(explain(&format!("{} {got}", reply.status)))
    }
}

/// Whether the reply has this header. If `header` is `name: value`, the value must match, too.
fn has(reply: &Reply, header: &str) -> bool {
    let (name, value) = header.split_once(": ").unzip();
    let name = name.unwrap_or(header);
    reply.headers.iter().any(|(key, has)| key == name && value.is_none_or(|value| has == value))
}

fn played(row: &Row, play: &Play) -> Option<Reply> {
    let surface = row.on.0;
    let mocked = Endpoint::from_path(&row.on.1);
    let endpoint = mocked.unwrap_or(Endpoint::ChatCompletions);
    let path = |path: &str| ("POST".to_owned(), path.to_owned());
    let refused = match play {
        Play::Send(body) => {
            let body = filled(row, body);
            let violation = check(surface, endpoint, &row.model, body.as_bytes())?;
            return Some(refusal(surface, endpoint, &violation));
        }
        Play::Script(name) => {
            let deployment = Deployment {
                surface,
                model: row.model.clone(),
                name: row.model.clone(),
                key: "sk-key".to_owned(),
            };
            return behavior(name, &deployment, endpoint)?.0;
        }
        Play::UnknownModel(name) => EdgeRefusal::UnknownModel { name: name.clone() },
        Play::UnlistedModel(name) => EdgeRefusal::UnlistedModel { name: name.clone() },
        Play::WrongKey(key) => EdgeRefusal::WrongKey { key: key.clone() },
        Play::UnknownPath(to) => {
            let (method, path) = path(to);
            EdgeRefusal::UnknownPath { method, path }
        }
        Play::WrongMethod(to) => {
            let (method, path) = path(to);
            EdgeRefusal::WrongMethod { method, path }
        }
        Play::Edge(Edge::ApiVersion) => EdgeRefusal::ApiVersion,
        Play::Edge(Edge::ApiVersionTooOld) => EdgeRefusal::ApiVersionTooOld,
        Play::Edge(Edge::MissingKey) => EdgeRefusal::MissingKey,
        Play::Edge(Edge::InvalidJson) => EdgeRefusal::InvalidJson,
    };
    Some(edge(surface, mocked, &refused))
}

fn filled(row: &Row, body: &str) -> String {
    match &row.repeat {
        Some((text, times, between)) => {
            body.replace('…', &vec![text.as_str(); *times].join(between))
        }
        None => body.to_owned(),
    }
}

/// The body, with `{id}` in place of the request id.
fn without_id(reply: &Reply, body: &str) -> String {
    let ids = reply.headers.iter().filter(|(name, _)| name.ends_with("request-id"));
    ids.fold(body.to_owned(), |body, (_, id)| {
        body.replace(id.strip_prefix("req_").unwrap_or(id), "{id}")
    })
}

fn expected(row: &Row) -> String {
    let Row { says, with: (_, error_type, param, code), .. } = row;
    let json = |text: &Option<String>| Value::from(text.as_deref()).to_string();
    let message = Value::from(says.as_str()).to_string();
    let (error_type, param, code) = (json(error_type), json(param), json(code));
    let indented = |by: &str| {
        format!(
            "{{\n{by}\"error\": {{\n{by}{by}\"message\": {message},\n{by}{by}\"type\": {error_type},\
             \n{by}{by}\"param\": {param},\n{by}{by}\"code\": {code}\n{by}}}\n}}"
        )
    };
    match row.layout {
        Some(Layout::TwoSpaces) => indented("  "),
        Some(Layout::TwoSpacesAndLine) => indented("  ") + "\n",
        Some(Layout::FourSpaces) => indented("    ") + "\n",
        Some(Layout::OneLine) => format!(r#"{{"error":{{"code":{code},"message":{message}}}}}"#),
        Some(Layout::OneLineWithBlank) => {
            format!(r#"{{"error":{{"code":{code},"message": {message}}}}}"#)
        }
        None => row.raw.clone().unwrap_or_default(),
    }
}
