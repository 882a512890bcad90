//! Traffic of a case as HAR 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>): the client's
//! calls and the target's attempts, with API keys redacted.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use fallproof_protocol::request_log::RecordedRequest;
use fallproof_suite::evidence::{Ending, Exchange};
use serde_json::{Map, Value, json};

use crate::assemble;
use crate::bounds::MOST_OF_A_BODY;
use crate::convert::{self, millis};
use crate::event::{Raw, RunEvent};
use crate::model::{Case, Outcome, Report};
use crate::print;
use crate::redact::Redactor;
use crate::reporter::{ReportError, Reporter};
use crate::whole_file;

/// Maximum number of bytes of all bodies of a file that are written.
const MAX_BODIES: usize = 2 * 1024 * 1024;

/// Maximum number of entries of a file.
const MAX_ENTRIES: usize = 200;

/// Id of the page that all entries of a file belong to.
const PAGE: &str = "case";

/// Path of a case's file, relative to the report directory.
pub fn file(id: &str) -> String {
    format!("har/{}.har", id.replace('/', "."))
}

/// Whether a HAR file is written for a case: only if the case made a call, and failed or is
/// inconclusive.
pub fn is_written(case: &Case, raw: Raw<'_>) -> bool {
    let has_failed =
        matches!(case.outcome, Outcome::Fail | Outcome::Inconclusive | Outcome::HarnessError);
    has_failed && raw.has_calls()
}

/// Writes the HAR file of each case that has one, as soon as the case ends.
#[derive(Debug)]
pub struct Hars {
    /// The report directory.
    dir: PathBuf,
    /// When the run started.
    started: SystemTime,
    written: BTreeSet<String>,
}

impl Hars {
    /// Creates a reporter that writes to this report directory.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, started: SystemTime::UNIX_EPOCH, written: BTreeSet::new() }
    }

    fn write(&mut self, name: &str, har: &str) -> Result<(), ReportError> {
        let file = self.dir.join(name);
        let folder = file.parent().unwrap_or(&self.dir);
        fs::create_dir_all(folder).map_err(ReportError::at(folder))?;
        whole_file::write(&file, har).map_err(ReportError::at(&file))?;
        self.written.insert(name.to_owned());
        Ok(())
    }

    /// Removes the files of cases that are not in the report, and of cases that no longer need a
    /// file after a rerun.
    fn remove_stale(&self, report: &Report) -> Result<(), ReportError> {
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
            RunEvent::Finished { report, .. } => self.remove_stale(report)?,
        }
        Ok(())
    }
}

/// The content of a case's HAR file. `started` is the wall-clock time at which the case started.
fn har(case: &Case, raw: Raw<'_>, started: SystemTime) -> String {
    let Raw { judged, context, redactor } = raw;
    let (calls, case_started) = (judged.evidence.calls(), judged.evidence.started);
    let mut entries = Vec::new();
    for (index, step) in calls.iter().enumerate() {
        let call = if calls.len() > 1 { format!("call {}, ", index + 1) } else { String::new() };
        entries.push(Entry::of_client(&step.exchange, &call));
        for (number, recorded) in step.all_requests().enumerate() {
            let deployment = context.deployment(recorded);
            let host =
                deployment.map_or("http://deployment", |deployment| deployment.host.as_str());
            let deployment =
                deployment.map_or("a deployment", |deployment| deployment.name.as_str());
            let fault = convert::fault(&recorded.wire).map(|fault| format!(", {fault}"));
            let comment = format!(
                "{call}attempt {} at {deployment}: {}{}",
                number + 1,
                convert::behavior(recorded, context),
                fault.unwrap_or_default(),
            );
            entries.push(Entry::of_attempt(recorded, host, comment));
        }
    }
    entries.sort_by_key(|entry| entry.started);
    let left_out = entries.len().saturating_sub(MAX_ENTRIES);
    entries.truncate(MAX_ENTRIES);
    let room = &Cell::new(MAX_BODIES);
    let time = |at: Duration| assemble::time(started + at.saturating_sub(case_started));
    let entries: Vec<_> =
        entries.iter().map(|entry| entry.to_json(&time(entry.started), redactor, room)).collect();
    let tool = assemble::tool();
    let messages: Vec<_> = case.violations.iter().map(|it| it.message.as_str()).collect();
    let mut comment = messages.join("\n");
    if left_out > 0 {
        let _ = write!(comment, "\n{left_out} more entries were left out");
    }
    let mut har = json!({ "log": {
        "version": "1.2",
        "creator": { "name": tool.name, "version": tool.version },
        "pages": [{
            "id": PAGE,
            "title": format!("{}: {}", case.id, case.title),
            "startedDateTime": assemble::time(started),
            "pageTimings": {},
            "comment": comment,
        }],
        "entries": entries,
    }});
    redactor.clean_json(&mut har);
    print::json(&format!("{har:#}\n"))
}

/// One request and its response.
struct Entry<'a> {
    started: Duration,
    took: Duration,
    /// Time from the start to the first byte of the response.
    wait: Option<Duration>,
    method: &'a str,
    url: String,
    sent: Message<'a>,
    status: Option<u16>,
    answered: Message<'a>,
    comment: String,
}

/// A request or a response.
struct Message<'a> {
    headers: Vec<(&'a str, &'a [u8])>,
    body: &'a [u8],
}

impl<'a> Entry<'a> {
    fn of_client(exchange: &'a Exchange, call: &str) -> Self {
        let sent = Message { headers: header_lines(&exchange.sent_head), body: &exchange.sent };
        let host = sent.header("host").unwrap_or_default();
        let ending = match &exchange.ending {
            Ending::Complete => String::new(),
            other => format!(": the target {}", other.in_words()),
        };
        Self {
            started: exchange.started,
            took: exchange.took,
            wait: exchange.received.pieces.first().map(|(at, _)| *at),
            method: "POST",
            url: format!("http://{host}{}", exchange.path),
            sent,
            status: exchange.status,
            answered: Message { headers: pairs(&exchange.headers), body: &exchange.body },
            comment: format!("{call}client{ending}"),
        }
    }

    fn of_attempt(recorded: &'a RecordedRequest, host: &str, comment: String) -> Self {
        let since_head = |time: Duration| time.saturating_sub(recorded.times.head);
        let reply = &recorded.reply[..recorded.sent.min(recorded.reply.len())];
        // Without a status, the prepared head was not sent.
        let head = recorded.status.map_or(&[][..], |_| &recorded.reply_head);
        Self {
            started: recorded.times.head,
            took: since_head(recorded.times.end.unwrap_or(recorded.times.body)),
            wait: recorded.times.first_byte.map(since_head),
            method: &recorded.method,
            url: format!("{host}{}", recorded.target),
            sent: Message { headers: pairs(&recorded.headers), body: &recorded.body },
            status: recorded.status,
            answered: Message { headers: header_lines(head), body: reply },
            comment,
        }
    }

    /// Bodies are written as long as there is `room`.
    fn to_json(&self, started: &str, redactor: &Redactor, room: &Cell<usize>) -> Value {
        let wait = self.wait.unwrap_or(self.took).min(self.took);
        let receive = self.took.saturating_sub(wait);
        let url = redactor.text(&self.url);
        let mut content = json!({ "size": self.answered.body.len() });
        content
            .as_object_mut()
            .expect("an object")
            .append(&mut self.answered.content(redactor, room));
        json!({
            "pageref": PAGE,
            "startedDateTime": started,
            "time": millis(self.took),
            "request": {
                "method": self.method,
                "url": url,
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": self.sent.headers(redactor),
                "queryString": query(&url),
                "postData": self.sent.content(redactor, room),
                "headersSize": -1,
                "bodySize": self.sent.body.len(),
            },
            "response": {
                // Browsers write 0 if there was no response.
                "status": self.status.unwrap_or(0),
                "statusText": "",
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": self.answered.headers(redactor),
                "content": content,
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": self.answered.body.len(),
            },
            "cache": {},
            "timings": { "send": 0, "wait": millis(wait), "receive": millis(receive) },
            "comment": self.comment,
        })
    }
}

impl Message<'_> {
    fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    fn headers(&self, redactor: &Redactor) -> Vec<Value> {
        let header = |(name, value): &(&str, &[u8])| json!({ "name": name, "value": redactor.header(name, value) });
        self.headers.iter().map(header).collect()
    }

    /// The body as text, with a comment on what is missing.
    fn content(&self, redactor: &Redactor, room: &Cell<usize>) -> Map<String, Value> {
        let all = redactor.bytes(self.body);
        let shown = &all[..all.len().min(MOST_OF_A_BODY).min(room.get())];
        room.set(room.get() - shown.len());
        let text = String::from_utf8_lossy(shown);
        let mut missing = Vec::new();
        if shown.len() < all.len() {
            missing.push(format!("truncated; {} bytes in total", self.body.len()));
        }
        if matches!(text, Cow::Owned(_)) {
            missing.push("bytes that are not UTF-8 were replaced".to_owned());
        }
        let mime = self.header("content-type");
        let mime = mime.unwrap_or_else(|| "application/octet-stream".to_owned());
        let content =
            [("mimeType", mime), ("text", text.into_owned()), ("comment", missing.join("; "))];
        content.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect()
    }
}

fn pairs(headers: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
}

/// The header lines of a raw head that Fallproof sent.
fn header_lines(head: &[u8]) -> Vec<(&str, &[u8])> {
    let head = std::str::from_utf8(head).unwrap_or_default();
    let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name, value.trim().as_bytes())).collect()
}

fn query(url: &str) -> Vec<Value> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| json!({ "name": name, "value": value })).collect()
}
