//! A case as HAR 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>): the client's calls and the
//! target's attempts, for the tools that draw such files; free of keys.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use fallproof_protocol::journal::{Hit, Traffic};
use fallproof_suite::evidence::{Ending, Exchange};
use serde_json::{Value, json};

use crate::assemble;
use crate::convert::millis;
use crate::event::{Raw, RunEvent};
use crate::model::{Case, Outcome, Report};
use crate::redact::Redactor;
use crate::reporter::{ReportError, Reporter};

/// No more of a body is kept.
const MOST_OF_A_BODY: usize = 1024 * 1024;

/// Where a case's file lies in the folder of the report.
pub fn file(id: &str) -> String {
    format!("har/{}.har", id.replace('/', "."))
}

/// One request and its answer.
struct Entry<'a> {
    started: Duration,
    took: Duration,
    /// From the start to the first byte of the answer.
    wait: Option<Duration>,
    method: &'a str,
    url: String,
    headers: Vec<(&'a str, &'a [u8])>,
    sent: &'a [u8],
    status: Option<u16>,
    answered_headers: Vec<(&'a str, &'a [u8])>,
    answered: &'a [u8],
    comment: String,
}

/// Whether a case's bytes are kept: where it failed, or nothing can be said.
pub fn is_kept(case: &Case, raw: Raw<'_>) -> bool {
    let has_failed =
        matches!(case.outcome, Outcome::Fail | Outcome::Inconclusive | Outcome::HarnessError);
    has_failed && raw.has_calls()
}

/// Writes the files of the cases that name one, as they end.
#[derive(Debug)]
pub struct Hars {
    /// The folder of the report.
    dir: PathBuf,
    /// When the run started.
    started: SystemTime,
    written: BTreeSet<String>,
}

impl Hars {
    /// Into the folder of a report.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, started: SystemTime::UNIX_EPOCH, written: BTreeSet::new() }
    }

    fn write(&mut self, name: &str, har: &str) -> Result<(), ReportError> {
        let file = self.dir.join(name);
        let folder = file.parent().unwrap_or(&self.dir);
        fs::create_dir_all(folder).map_err(ReportError::at(folder))?;
        fs::write(&file, har).map_err(ReportError::at(&file))?;
        self.written.insert(name.to_owned());
        Ok(())
    }

    /// Takes away what is left of cases that were run again, and of those that never were.
    fn tidy(&self, report: &Report) -> Result<(), ReportError> {
        let named: BTreeSet<_> = report.cases.iter().filter_map(|case| case.har.clone()).collect();
        self.written.difference(&named).try_for_each(|name| {
            let file = self.dir.join(name);
            fs::remove_file(&file).map_err(ReportError::at(&file))
        })
    }
}

impl Reporter for Hars {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        match *event {
            RunEvent::Started { at, .. } => self.started = at,
            RunEvent::CaseFinished { case: case @ Case { har: Some(name), .. }, raw } => {
                self.write(name, &har(case, raw, self.started + raw.judged.evidence.started))?;
            }
            RunEvent::TargetStarted { .. }
            | RunEvent::CaseStarted { .. }
            | RunEvent::CaseFinished { .. } => {}
            RunEvent::Finished { report, .. } => self.tidy(report)?,
        }
        Ok(())
    }
}

/// The text of a case's file. `started` is the time of the day at which the case started.
fn har(told: &Case, raw: Raw<'_>, started: SystemTime) -> String {
    let Raw { judged: case, context, redactor } = raw;
    let mut entries = Vec::new();
    let calls = case.evidence.calls();
    for (index, step) in calls.iter().enumerate() {
        let call = if calls.len() > 1 { format!("call {}, ", index + 1) } else { String::new() };
        entries.push(client(&step.exchange, &call));
        for (number, hit) in step.all_hits().enumerate() {
            let hop = context.hop(hit);
            let host = hop.map_or("http://upstream", |hop| hop.host.as_str());
            let upstream = hop.map_or("an upstream", |hop| hop.upstream.as_str());
            let comment = format!("{call}attempt {} at {upstream}: {}", number + 1, hit.behaviour);
            entries.push(attempt(hit, host, comment));
        }
    }
    entries.sort_by_key(|entry| entry.started);
    let page = "case";
    let entries: Vec<_> = entries
        .iter()
        .map(|entry| entry.to_json(page, case.evidence.started, started, redactor))
        .collect();
    let tool = assemble::tool();
    let mut har = json!({ "log": {
        "version": "1.2",
        "creator": { "name": tool.name, "version": tool.version },
        "pages": [{
            "id": page,
            "title": format!("{}: {}", told.id, told.title),
            "startedDateTime": assemble::time(started),
            "pageTimings": {},
            "comment": told.findings.iter().map(|it| it.message.as_str()).collect::<Vec<_>>().join("\n"),
        }],
        "entries": entries,
    }});
    redactor.clean_json(&mut har);
    format!("{har:#}\n")
}

fn client<'a>(exchange: &'a Exchange, call: &str) -> Entry<'a> {
    let headers = header_lines(&exchange.sent_head);
    let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host =
        host.map_or_else(String::new, |(_, host)| String::from_utf8_lossy(host).into_owned());
    let ending = match &exchange.ending {
        Ending::Complete => String::new(),
        other => format!(": the target {}", other.in_words()),
    };
    Entry {
        started: exchange.started,
        took: exchange.took,
        wait: first(&exchange.received),
        method: "POST",
        url: format!("http://{host}{}", exchange.path),
        headers,
        sent: &exchange.sent,
        status: exchange.status,
        answered_headers: pairs(&exchange.headers),
        answered: &exchange.body,
        comment: format!("{call}client{ending}"),
    }
}

fn attempt<'a>(hit: &'a Hit, host: &str, comment: String) -> Entry<'a> {
    let end = hit.times.end.unwrap_or(hit.times.body);
    let reply = &hit.reply[..hit.sent.min(hit.reply.len())];
    Entry {
        started: hit.times.head,
        took: end.saturating_sub(hit.times.head),
        wait: hit.times.first_byte.map(|first| first.saturating_sub(hit.times.head)),
        method: &hit.method,
        url: format!("{host}{}", hit.target),
        headers: pairs(&hit.headers),
        sent: &hit.body,
        status: hit.status,
        answered_headers: header_lines(&hit.reply_head),
        answered: reply,
        comment,
    }
}

fn first(traffic: &Traffic) -> Option<Duration> {
    traffic.pieces.first().map(|(at, _)| *at)
}

fn pairs(headers: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
}

/// The headers of a head of ours.
fn header_lines(head: &[u8]) -> Vec<(&str, &[u8])> {
    let head = std::str::from_utf8(head).unwrap_or_default();
    let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name, value.trim().as_bytes())).collect()
}

impl Entry<'_> {
    fn to_json(
        &self,
        page: &str,
        case_started: Duration,
        started: SystemTime,
        redactor: &Redactor,
    ) -> Value {
        let at = started + self.started.saturating_sub(case_started);
        let wait = self.wait.unwrap_or(self.took).min(self.took);
        let receive = self.took.saturating_sub(wait);
        let url = redactor.text(&self.url);
        json!({
            "pageref": page,
            "startedDateTime": assemble::time(at),
            "time": millis(self.took),
            "request": {
                "method": self.method,
                "url": url,
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": headers(&self.headers, redactor),
                "queryString": query(&url),
                "postData": post_data(self.sent, &mime(&self.headers), redactor),
                "headersSize": -1,
                "bodySize": self.sent.len(),
            },
            "response": {
                // 0 is what browsers write where no answer came.
                "status": self.status.unwrap_or(0),
                "statusText": "",
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": headers(&self.answered_headers, redactor),
                "content": content(self.answered, &mime(&self.answered_headers), redactor),
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": self.answered.len(),
            },
            "cache": {},
            "timings": { "send": 0, "wait": millis(wait), "receive": millis(receive) },
            "comment": self.comment,
        })
    }
}

fn headers(headers: &[(&str, &[u8])], redactor: &Redactor) -> Vec<Value> {
    let header = |(name, value): &(&str, &[u8])| json!({ "name": name, "value": redactor.header(name, value) });
    headers.iter().map(header).collect()
}

fn mime(headers: &[(&str, &[u8])]) -> String {
    let is_type = |(name, _): &&(&str, &[u8])| name.eq_ignore_ascii_case("content-type");
    headers.iter().find(is_type).map_or_else(
        || "application/octet-stream".to_owned(),
        |(_, value)| String::from_utf8_lossy(value).into_owned(),
    )
}

fn query(url: &str) -> Vec<Value> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            json!({ "name": name, "value": value })
        })
        .collect()
}

fn post_data(body: &[u8], mime: &str, redactor: &Redactor) -> Value {
    let (text, comment) = text(body, redactor);
    json!({ "mimeType": mime, "text": text, "comment": comment })
}

fn content(body: &[u8], mime: &str, redactor: &Redactor) -> Value {
    let (text, comment) = text(body, redactor);
    json!({ "size": body.len(), "mimeType": mime, "text": text, "comment": comment })
}

/// The body as text, and what of it is not there.
fn text(body: &[u8], redactor: &Redactor) -> (String, String) {
    let kept = redactor.bytes(body);
    let kept = &kept[..kept.len().min(MOST_OF_A_BODY)];
    let text = String::from_utf8_lossy(kept);
    let mut missing = Vec::new();
    if body.len() > MOST_OF_A_BODY {
        missing.push(format!("only its beginning, of {} bytes", body.len()));
    }
    if matches!(text, std::borrow::Cow::Owned(_)) {
        missing.push("bytes that are no UTF-8 are replaced".to_owned());
    }
    (text.into_owned(), missing.join("; "))
}
