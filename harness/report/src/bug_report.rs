//! A bug report for the tracker of a gateway: one cause, in Markdown.

use std::io;
use std::path::Path;

use fallproof_suite::yaml::nearest;
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Deserialize;

use crate::model::{Case, Cause, Report, Step};
use crate::wrap::cut;
use crate::{markdown, phrases, template};

/// Maximum number of characters of a body that are shown.
const MAX_BODY: usize = 2000;

/// Maximum number of other cases that are listed.
const MAX_OTHERS: usize = 20;

/// Returns the cause with this id or this number, counted from 1 in the order of the report.
///
/// # Errors
/// A message for the user that says which ids there are.
pub fn find<'a>(report: &'a Report, name: &str) -> Result<&'a Cause, String> {
    let by_id = report.causes.iter().find(|cause| cause.id == name);
    let number = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let found = by_id.or_else(|| report.causes.get(number?));
    found.ok_or_else(|| match report.causes.len() {
        0 => "the report has no causes".to_owned(),
        number => {
            let ids = || report.causes.iter().map(|cause| cause.id.as_str());
            let is_start = |id: &&str| id.starts_with(name) || name.starts_with(id);
            let hint = match ids().find(is_start).or_else(|| nearest(name, ids())) {
                Some(id) => format!("did you mean `{id}`?"),
                None => "`fallproof report DIR` lists them".to_owned(),
            };
            format!("no cause `{name}` among the {number} of the report; {hint}")
        }
    })
}

/// The causes of a report, one per line of at most `width` columns, with their numbers.
pub fn list(report: &Report, width: usize) -> String {
    let line = |(number, cause): (usize, &Cause)| {
        let (id, word) = (&cause.id, cause.word());
        let cases = phrases::cases(cause.cases.len());
        let line = format!("{:>3}  {word} {id}  {cases}: {}", number + 1, cause.sentence());
        cut(&line, width) + "\n"
    };
    let lines: String = report.causes.iter().enumerate().map(line).collect();
    if lines.is_empty() { "no causes: no case failed or warned\n".to_owned() } else { lines }
}

/// Writes the bug report of a cause. `dir` is the folder of the report, which has the traffic of the
/// failed cases. API keys are already redacted in both. `install` is the command that installs the
/// gateway, if there is one.
///
/// # Errors
/// The template cannot be drawn.
pub fn write(
    report: &Report,
    cause: &Cause,
    dir: &Path,
    install: Option<&str>,
) -> io::Result<String> {
    let example = &cause.example;
    let case = report.cases.iter().find(|case| case.id == example.case);
    let shown = case.into_iter().flat_map(|case| &case.steps);
    let shown = shown.filter(|it| it.number == example.step);
    let shown: Vec<_> = shown.map(|step| markdown::step(step, usize::MAX)).collect();
    let code = cause.requirement.as_deref();
    let requirement = report.requirements().find(|it| Some(it.code.as_str()) == code);
    let follows = cause.follows.iter().filter_map(|it| it.requirement.clone());
    let adapter = report.target.adapter.as_ref().map(|name| match &report.target.version {
        Some(version) => format!("{name}@{version}"),
        None => name.clone(),
    });
    let others: Vec<_> = cause.cases.iter().filter(|id| **id != example.case).collect();
    let view = context! {
        install,
        target => report.target.to_string(),
        sentence => cause.sentence(),
        extent => phrases::extent(cause),
        requirement => Serde(requirement.cloned()),
        example => Serde(example.clone()),
        case => case.map(|Case { title, why, .. }| context! { title, why }),
        heads => Step::HEADS,
        steps => shown,
        exchanges => case.map(|case| exchanges(case, dir)).unwrap_or_default(),
        configure => adapter.as_ref().map(|it| {
            format!("fallproof config {it} '{}' --out gateway", example.case)
        }),
        adapter,
        version => &report.tool.version,
        suite => phrases::short(&report.suite.fingerprint),
        id => &cause.id,
        follows => follows.collect::<Vec<_>>(),
        sources => cause.sources.clone(),
        number_of_others => others.len(),
        others => others.into_iter().take(MAX_OTHERS).cloned().collect::<Vec<_>>(),
    };
    template::markdown("bug.md", view)
}

/// A HAR file, as far as it is shown.
#[derive(Deserialize)]
struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    comment: String,
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(rename = "postData", default)]
    body: Body,
}

#[derive(Deserialize)]
struct Response {
    status: i64,
    #[serde(default)]
    headers: Vec<Header>,
    content: Body,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    text: String,
}

/// The traffic of a case, in the order of its start. Empty if its file is missing.
fn exchanges(case: &Case, dir: &Path) -> Vec<Value> {
    let file = case.har.as_ref().map(|name| dir.join(name));
    let text = file.and_then(|file| std::fs::read_to_string(file).ok());
    let har = text.and_then(|text| serde_json::from_str::<Har>(&text).ok());
    let exchange = |Entry { comment, request, response }: Entry| {
        let Request { method, url, headers, body } = request;
        let sent = format!("{method} {url}\n{}\n{}", lines(&headers), shortened(&body.text));
        let got = match response.status {
            0 => "no response".to_owned(),
            status => {
                let headers = lines(&response.headers);
                format!("{status}\n{headers}\n{}", shortened(&response.content.text))
            }
        };
        context! { what => comment, sent, got }
    };
    har.map(|har| har.log.entries.into_iter().map(exchange).collect()).unwrap_or_default()
}

/// The headers, one per line.
fn lines(headers: &[Header]) -> String {
    headers.iter().flat_map(|Header { name, value }| [name, ": ", value, "\n"]).collect()
}

/// The beginning of a body, and how long it is.
fn shortened(body: &str) -> String {
    match body.char_indices().nth(MAX_BODY) {
        Some((end, _)) => format!("{}…\n({} bytes in all)", &body[..end], body.len()),
        None => body.to_owned(),
    }
}
