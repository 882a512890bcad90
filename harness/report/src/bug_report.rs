//! A bug report for the tracker of a gateway: one cause, in Markdown.

use std::io;
use std::path::{Component, Path};

use fallproof_suite::read;
use fallproof_suite::yaml::nearest;
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Deserialize;

use crate::model::{Case, Cause, Report, Step};
use crate::wrap::cut;
use crate::{markdown, phrases, template};

/// Maximum number of characters of a body that are shown.
const MAX_BODY: usize = 2000;

/// Maximum size of a file with traffic. A body in it is cut to a megabyte.
const MAX_HAR: u64 = 256 << 20;

/// Maximum number of characters of a configuration file that are shown.
const MAX_FILE: usize = 8000;

/// Maximum number of other cases that are listed.
const MAX_OTHERS: usize = 20;

/// How to set up the gateway for the example of a cause.
#[derive(Debug)]
pub struct Configuration {
    /// The command that installs the gateway, if there is one.
    pub install: Option<String>,
    /// The command that writes its files.
    pub command: String,
    /// Names and contents of its files, without API keys. Empty if they are unknown.
    pub files: Vec<(String, String)>,
}

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
/// failed cases. API keys are already redacted in both. `configuration` is `None` if the gateway has no
/// adapter.
///
/// # Errors
/// The template cannot be drawn.
pub fn write(
    report: &Report,
    cause: &Cause,
    dir: &Path,
    configuration: Option<&Configuration>,
) -> io::Result<String> {
    let example = &cause.example;
    let case = report.cases.iter().find(|case| case.id == example.case);
    let shown = case.into_iter().flat_map(|case| &case.steps);
    let shown = shown.filter(|it| it.number == example.step);
    let shown: Vec<_> = shown.map(|step| markdown::step(step, usize::MAX)).collect();
    let code = cause.requirement.as_deref();
    let requirement = report.requirements().find(|it| Some(it.code.as_str()) == code);
    let follows = cause.follows.iter().filter_map(|it| it.requirement.clone());
    let files = configuration.into_iter().flat_map(|it| &it.files);
    let files =
        files.map(|(name, text)| context! { name, text => shortened(text.trim_end(), MAX_FILE) });
    let others: Vec<_> = cause.cases.iter().filter(|id| **id != example.case).collect();
    let view = context! {
        install => configuration.and_then(|it| it.install.as_ref()),
        target => report.target.to_string(),
        sentence => cause.sentence(),
        extent => phrases::extent(cause),
        requirement => Serde(requirement.cloned()),
        example => Serde(example.clone()),
        notes => example.notes(),
        case => case.map(|Case { title, why, .. }| context! { title, why }),
        heads => Step::HEADS,
        steps => shown,
        exchanges => case.map(|case| exchanges(case, dir)).unwrap_or_default(),
        configure => configuration.map(|it| &it.command),
        files => files.collect::<Vec<_>>(),
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
    // The name comes from a file: it must not lead out of the folder.
    let is_within = |name: &&String| {
        Path::new(name.as_str()).components().all(|part| matches!(part, Component::Normal(_)))
    };
    let file = case.har.as_ref().filter(is_within).map(|name| dir.join(name));
    let text = file.and_then(|file| read::regular(&file, MAX_HAR).ok());
    let har = text.and_then(|text| serde_json::from_slice::<Har>(&text).ok());
    let exchange = |Entry { comment, request, response }: Entry| {
        let Request { method, url, headers, body } = request;
        let sent =
            format!("{method} {url}\n{}\n{}", lines(&headers), shortened(&body.text, MAX_BODY));
        let got = match response.status {
            0 => "no response".to_owned(),
            status => {
                let headers = lines(&response.headers);
                format!("{status}\n{headers}\n{}", shortened(&response.content.text, MAX_BODY))
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

/// The first `most` characters of a text, and how long it is.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…\n({} bytes in all)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}
