//! `index.html`: the whole report as one page that needs nothing beside itself.

use std::collections::BTreeMap;

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use super::model::{
    Case, Counts, Finding, Kept, Outcome, Profile, Report, Requirement, Step, Tool, Verdict,
};
use super::words;
use fallproof_suite::requirement;

pub(super) const STYLE: &str = include_str!("html/style.css");
const PAGE: &str = include_str!("html/page.html");
const REPORT: &str = include_str!("html/report.html");
const COMPARE: &str = include_str!("html/compare.html");

/// The classes of `style.css` that give a colour.
type Tone = &'static str;

/// The text of `index.html`.
///
/// # Errors
/// The template's; none are known.
pub fn write(report: &Report) -> Result<String, String> {
    let shown: Vec<_> = shown(report).into_iter().map(Shown::new).collect();
    let is_shown = |case: &Case| shown.iter().any(|shown| shown.case.id == case.id);
    let all = report.cases.iter().map(|case| Listed {
        id: &case.id,
        profile: &case.profile,
        is_shown: is_shown(case),
        tone: tone(case),
        word: word(case),
        took: format!("{:.0}", case.took_ms),
    });
    let selection = &report.run.selection;
    let chosen: Vec<_> = selection.patterns.iter().chain(&selection.tags).cloned().collect();
    let view = View {
        report,
        tool: &report.tool,
        style: STYLE,
        target: report.target.to_string(),
        tone: headline_tone(report),
        headline: words::headline(report),
        scope: words::scope(report),
        started: report.run.started.replace('T', " ").replace('Z', " UTC"),
        took: words::took(report),
        chosen: chosen.join(" "),
        fingerprint: words::short(&report.suite.fingerprint),
        parts: parts(&report.counts),
        profiles: report.profiles.iter().map(shown_profile).collect(),
        all: all.collect(),
        skipped: skipped(report),
        unchosen: report.suite.cases.saturating_sub(selection.cases),
        shown,
    };
    render("report.html", Serde(view))
}

/// What `report.html` is drawn from.
#[derive(Serialize)]
struct View<'a> {
    report: &'a Report,
    tool: &'a Tool,
    style: &'static str,
    target: String,
    tone: Tone,
    headline: String,
    scope: String,
    started: String,
    took: String,
    chosen: String,
    fingerprint: &'a str,
    parts: Vec<Part>,
    profiles: Vec<ShownProfile<'a>>,
    shown: Vec<Shown<'a>>,
    all: Vec<Listed<'a>>,
    skipped: Vec<Skipped<'a>>,
    /// How many cases of the suite were not chosen.
    unchosen: usize,
}

/// A case in the list of all.
#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    profile: &'a str,
    /// It is told whole elsewhere on the page.
    is_shown: bool,
    tone: Tone,
    word: &'static str,
    took: String,
}

/// Renders one of the templates.
pub(super) fn render(template: &str, view: impl Into<Value>) -> Result<String, String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("prose", prose);
    let templates = [("page.html", PAGE), ("report.html", REPORT), ("compare.html", COMPARE)];
    let rendered = templates
        .iter()
        .try_for_each(|(name, text)| environment.add_template(name, text))
        .and_then(|()| environment.get_template(template))
        .and_then(|template| template.render(view));
    rendered.map(|page| words::printable(&page)).map_err(|error| format!("{error:#}"))
}

/// The text escaped, with what stands between backticks as code.
fn prose(text: &str) -> Value {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut html = String::new();
    let mut rest = escaped.as_str();
    while let Some((before, code, after)) = code(rest) {
        html.push_str(before);
        html.push_str("<code>");
        html.push_str(code);
        html.push_str("</code>");
        rest = after;
    }
    html.push_str(rest);
    Value::from_safe_string(html)
}

/// The text before, between and after the first two backticks.
fn code(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    Some((before, code, after))
}

pub(super) fn headline_tone(report: &Report) -> Tone {
    match report.verdict {
        Verdict::Conformant if report.counts.expected > 0 => "known",
        Verdict::Conformant if report.requirements().all(|it| it.verdict == Kept::NotJudged) => {
            "none"
        }
        Verdict::Conformant => "pass",
        Verdict::NotConformant if report.counts.fail == 0 => "warn",
        Verdict::NotConformant | Verdict::HarnessError => "fail",
        Verdict::Interrupted => "none",
    }
}

fn tone(case: &Case) -> Tone {
    match case.outcome {
        Outcome::Pass => "pass",
        Outcome::Warn | Outcome::Inconclusive => "warn",
        Outcome::Fail if case.is_expected() => "known",
        Outcome::Fail | Outcome::HarnessError => "fail",
        Outcome::Skipped => "none",
    }
}

fn word(case: &Case) -> &'static str {
    if case.is_expected() { "expected" } else { case.outcome.word() }
}

#[derive(Serialize)]
struct Part {
    tone: Tone,
    number: usize,
    word: &'static str,
}

/// The outcomes that there were, the good ones first.
fn parts(counts: &Counts) -> Vec<Part> {
    let parts = [
        ("pass", counts.pass, "passed"),
        ("warn", counts.warn, "warned"),
        ("known", counts.expected, "failed as expected"),
        ("fail", counts.fail, "failed"),
        ("fail", counts.harness_error, "harness errors"),
        ("warn", counts.inconclusive, "inconclusive"),
        ("none", counts.skipped, "skipped"),
        ("none", counts.not_run, "not run"),
    ];
    let parts = parts.into_iter().map(|(tone, number, word)| Part { tone, number, word });
    parts.filter(|part| part.number > 0).collect()
}

#[derive(Serialize)]
struct ShownProfile<'a> {
    name: &'a str,
    words: String,
    families: Vec<Family<'a>>,
    /// How many of its requirements were not judged, and are not in the way.
    unjudged: usize,
}

/// Requirements about one subject.
#[derive(Serialize)]
struct Family<'a> {
    name: &'a str,
    requirements: Vec<ShownRequirement<'a>>,
}

impl<'a> Family<'a> {
    fn new(requirements: &'a [Requirement]) -> Self {
        let name = requirements.first().map_or("", |first| parts_of_code(&first.code).0);
        Self { name, requirements: requirements.iter().map(ShownRequirement::new).collect() }
    }
}

fn shown_profile(profile: &Profile) -> ShownProfile<'_> {
    let is_same = |one: &Requirement, other: &Requirement| {
        parts_of_code(&one.code).0 == parts_of_code(&other.code).0
    };
    let is_unjudged = |it: &&Requirement| it.verdict == Kept::NotJudged;
    ShownProfile {
        unjudged: profile.requirements.iter().filter(is_unjudged).count(),
        name: &profile.name,
        words: words::profile(profile),
        families: profile.requirements.chunk_by(is_same).map(Family::new).collect(),
    }
}

/// Family and number of a code such as `FP-PAYLOAD-01`.
fn parts_of_code(code: &str) -> (&str, &str) {
    let code = code.strip_prefix("FP-").unwrap_or(code);
    code.rsplit_once('-').unwrap_or(("", code))
}

#[derive(Serialize)]
struct ShownRequirement<'a> {
    requirement: &'a Requirement,
    tone: Tone,
    sign: char,
    word: &'static str,
    /// The end of its code.
    number: &'a str,
    count: String,
    binds: &'static str,
}

impl<'a> ShownRequirement<'a> {
    fn new(requirement: &'a Requirement) -> Self {
        let (tone, sign) = kept_tone(requirement);
        let broken = requirement.broken_in.len();
        let count = match requirement.verdict {
            Kept::NotJudged => String::new(),
            _ if broken > 0 => format!("in {}", words::cases(broken)),
            _ => words::cases(requirement.proven_by.len()),
        };
        Self {
            requirement,
            tone,
            sign,
            word: words::kept(requirement),
            number: parts_of_code(&requirement.code).1,
            count,
            binds: words::binds(requirement),
        }
    }
}

/// Colour and sign of a requirement's verdict.
pub(super) fn kept_tone(requirement: &Requirement) -> (Tone, char) {
    match requirement.verdict {
        Kept::Pass => ("pass", '✓'),
        Kept::Declared | Kept::Observed => ("pass", '○'),
        Kept::Warn => ("warn", '!'),
        Kept::Fail if requirement.expected => ("known", '✕'),
        Kept::Fail => ("fail", '✕'),
        Kept::NotJudged => ("none", '–'),
    }
}

/// The cases that are told whole, the worst first.
fn shown(report: &Report) -> Vec<&Case> {
    let rank = |case: &Case| match case.outcome {
        Outcome::HarnessError => Some(0),
        Outcome::Fail if !case.is_expected() => Some(1),
        Outcome::Inconclusive => Some(2),
        Outcome::Fail => Some(3),
        Outcome::Warn => Some(4),
        Outcome::Pass | Outcome::Skipped => None,
    };
    let mut shown: Vec<_> =
        report.cases.iter().filter_map(|case| Some((rank(case)?, case))).collect();
    shown.sort_by_key(|(rank, _)| *rank);
    shown.into_iter().map(|(_, case)| case).collect()
}

#[derive(Serialize)]
struct Shown<'a> {
    case: &'a Case,
    tone: Tone,
    word: &'static str,
    codes: String,
    groups: Vec<FindingsOf<'a>>,
    steps: Vec<ShownStep<'a>>,
}

/// The findings about one requirement.
#[derive(Serialize)]
struct FindingsOf<'a> {
    code: &'a str,
    sentence: &'static str,
    findings: Vec<&'a Finding>,
}

impl<'a> Shown<'a> {
    fn new(case: &'a Case) -> Self {
        let codes = case.codes();
        let groups = codes.iter().map(|&code| FindingsOf {
            code,
            sentence: requirement::find(code).map_or("", |found| found.sentence.as_str()),
            findings: case.findings.iter().filter(|finding| finding.code() == code).collect(),
        });
        let short = |code: &&str| code.strip_prefix("FP-").unwrap_or(code).to_owned();
        let mut told: Vec<_> = codes.iter().take(2).map(short).collect();
        if codes.len() > 2 {
            told.push(format!("+{}", codes.len() - 2));
        }
        Self {
            case,
            tone: tone(case),
            word: word(case),
            codes: told.join(" "),
            groups: groups.collect(),
            steps: case.steps.iter().map(ShownStep::new).collect(),
        }
    }
}

#[derive(Serialize)]
struct ShownStep<'a> {
    step: &'a Step,
    /// How long the time line is.
    length: String,
    rows: Vec<Row<'a>>,
}

/// An attempt, or the client, with its place on the time line.
#[derive(Serialize)]
struct Row<'a> {
    is_client: bool,
    name: String,
    upstream: String,
    request: &'a str,
    answer: String,
    behaviour: String,
    start: String,
    took: String,
    /// In percent of the time line.
    from: String,
    length: String,
}

impl<'a> ShownStep<'a> {
    fn new(step: &'a Step) -> Self {
        let Step { client, attempts, .. } = step;
        let latest = attempts.iter().filter_map(|attempt| attempt.end_ms);
        let end = latest.fold(client.at_ms + client.took_ms, f64::max);
        let length = (end - client.at_ms).max(0.01);
        let on_line = |from: f64, to: f64| {
            let percent = |at: f64| (at / length * 100.0).clamp(0.0, 100.0);
            let (from, to) = (from - client.at_ms, to - client.at_ms);
            [
                format!("{from:.1}"),
                format!("{:.1}", to - from),
                format!("{:.2}", percent(from)),
                format!("{:.2}", percent(to) - percent(from)),
            ]
        };
        let attempt = |attempt: &'a super::model::Attempt| {
            let [start, took, from, length] = on_line(attempt.at_ms, attempt.end_ms.unwrap_or(end));
            Row {
                is_client: false,
                name: attempt.number.to_string(),
                upstream: attempt.deployment(),
                request: &attempt.request,
                answer: attempt.answer(),
                behaviour: attempt.played(),
                start,
                took,
                from,
                length,
            }
        };
        let [start, took, from, width] = on_line(client.at_ms, client.at_ms + client.took_ms);
        let client = Row {
            is_client: true,
            name: "client".to_owned(),
            upstream: String::new(),
            request: &client.request,
            answer: client.answer(),
            behaviour: String::new(),
            start,
            took,
            from,
            length: width,
        };
        Self {
            step,
            length: format!("{length:.0}"),
            rows: attempts.iter().map(attempt).chain([client]).collect(),
        }
    }
}

#[derive(Serialize)]
struct Skipped<'a> {
    reason: &'a str,
    ids: Vec<&'a str>,
}

/// The skipped cases by their reasons.
fn skipped(report: &Report) -> Vec<Skipped<'_>> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for case in report.cases.iter().filter(|case| case.outcome == Outcome::Skipped) {
        by_reason.entry(case.reason.as_deref().unwrap_or_default()).or_default().push(&case.id);
    }
    by_reason.into_iter().map(|(reason, ids)| Skipped { reason, ids }).collect()
}
