//! A report in a few sentences, the same in all of its forms.

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::DateTime;

use fallproof_suite::requirement;
use fallproof_suite::text::is_printable;

use crate::model::{
    Case, Counts, Kept, Level, Profile, Report, Requirement, Severity, Verdict, Violation,
    kept as keeps,
};

/// What the run says of the target, in one sentence.
pub fn headline(report: &Report) -> String {
    let target = &report.target;
    let counts = report.counts;
    let (_, judged) = keeps(report.requirements());
    let broken = report.requirements().filter(|it| it.verdict == Kept::Fail && !it.expected);
    match (report.verdict, broken.count()) {
        (Verdict::HarnessError, _) => {
            format!("Fallproof itself failed in {}.", cases(counts.harness_error))
        }
        (Verdict::NotConformant, 0) if counts.fail > 0 => {
            format!("{target} does not conform: {} did not end as expected.", cases(counts.fail))
        }
        (Verdict::NotConformant, 0) if counts.inconclusive > 0 => {
            let number = counts.inconclusive;
            let verb = if number == 1 { "is" } else { "are" };
            let cases = cases(number);
            format!("Nothing certain can be said of {target}: {cases} {verb} inconclusive.")
        }
        (Verdict::NotConformant, 0) => {
            "The baseline is out of date: it names failures that are none any more.".to_owned()
        }
        (Verdict::NotConformant, broken) => format!(
            "{target} does not conform: {broken} of {judged} judged requirements {} broken.",
            if broken == 1 { "is" } else { "are" }
        ),
        (Verdict::Interrupted, _) => {
            format!("The run was broken off; nothing that was run speaks against {target}.")
        }
        (Verdict::Conformant, _) if judged == 0 => format!("Nothing was judged of {target}."),
        (Verdict::Conformant, _) if counts.expected > 0 => {
            format!("{target} fails only as its baseline expects: in {}.", cases(counts.expected))
        }
        (Verdict::Conformant, _) => {
            format!("{target} conforms: it keeps the {judged} requirements that were judged.")
        }
    }
}

/// Which of a case's calls a violation is about, e.g. `call 2: `; empty where there is only one. People
/// count calls as a trace does; the clock's moves, which are steps of a scenario too, are none.
pub fn call(case: &Case, violation: &Violation) -> String {
    if case.steps.len() > 1 { format!("call {}: ", violation.step) } else { String::new() }
}

/// How much of the suite the run tells of, in a sentence or two.
pub fn scope(report: &Report) -> String {
    let selection = &report.run.selection;
    let mut text = if selection.whole {
        format!("All {} of the suite were chosen.", cases(selection.cases))
    } else {
        format!("{} of the suite's {} were chosen.", selection.cases, cases(report.suite.cases))
    };
    for (number, what) in [
        (report.counts.skipped, "skipped, each for a reason"),
        (report.counts.inconclusive, "inconclusive"),
        (report.counts.not_run, "not run, since the run was broken off"),
    ] {
        if number > 0 {
            let verb = if number == 1 { "was" } else { "were" };
            let _ = write!(text, " {number} {verb} {what}.");
        }
    }
    text
}

/// How a profile came out, in few words.
pub fn profile(profile: &Profile) -> String {
    let (kept, judged) = keeps(profile.requirements.iter());
    let Counts { pass, warn, fail, expected, inconclusive, harness_error, .. } = profile.counts;
    let ran = pass + warn + fail + expected + inconclusive + harness_error;
    let requirements = match (profile.requirements.len(), judged) {
        (0, _) => String::new(),
        (_, 0) => "no requirement judged, ".to_owned(),
        _ => format!("{kept} of {judged} judged requirements kept, "),
    };
    match ran {
        0 => format!("{requirements}no case run"),
        _ => format!("{requirements}{} of {} passed", pass + warn, cases(ran)),
    }
}

/// How a requirement is kept, in a word or two.
pub fn kept(requirement: &Requirement) -> &'static str {
    if requirement.expected { "expected" } else { requirement.verdict.word() }
}

/// Whom a requirement binds, in a sentence.
pub fn binds(requirement: &Requirement) -> &'static str {
    match (requirement.level, requirement.severity) {
        (Level::Invariant, Severity::Must) => "It binds every gateway.",
        (Level::Invariant, Severity::Should) => {
            "It is advised to every gateway: breaking it only warns."
        }
        (Level::Policy, _) => "It is a choice of a gateway's makers: it binds those that claim it.",
        (Level::Observation, _) => "It binds nobody: what is seen is noted.",
    }
}

/// How long the run took.
pub fn took(report: &Report) -> String {
    let at = |time: &str| DateTime::parse_from_rfc3339(time).ok();
    let took = at(&report.run.ended).zip(at(&report.run.started));
    match took.map(|(ended, started)| (ended - started).num_milliseconds()) {
        Some(millis @ 0..10_000) => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        Some(millis @ 10_000..120_000) => format!("{} s", millis / 1000),
        Some(millis) => format!("{} min {} s", millis / 60_000, millis / 1000 % 60),
        None => "unknown".to_owned(),
    }
}

/// What a requirement says, by its code; empty for what is no requirement.
pub fn sentence(code: &str) -> &'static str {
    requirement::find(code).map_or("", |found| found.sentence.as_str())
}

/// A requirement's code without what all of them begin with.
pub fn brief(code: &str) -> &str {
    code.strip_prefix("FP-").unwrap_or(code)
}

/// The beginning of a fingerprint, enough to tell two apart.
pub fn short(fingerprint: &str) -> &str {
    fingerprint.get(..19).unwrap_or(fingerprint)
}

/// `1 case`, `2 cases`.
pub fn cases(number: usize) -> String {
    counted(number, "case")
}

/// The text without characters that no page and no terminal has a place for: a target's answer may
/// hold any.
pub fn printable(text: &str) -> String {
    let is_strange = |it: char| {
        let is_space = matches!(it, '\n' | '\t' | '\u{2028}' | '\u{2029}');
        !(is_space || is_printable(it)) || matches!(it, '\u{fffe}' | '\u{ffff}')
    };
    text.replace(is_strange, "\u{fffd}")
}

/// The text as one line that is printable: what a target says must not begin a line of its own, which
/// whoever reads the terminal may take for Fallproof's, or for a command.
pub fn line(text: &str) -> String {
    let ends = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    printable(&text.replace("\r\n", " ").replace(ends, " "))
}

/// A line that begins with two colons, blanks aside, is a command to a GitHub runner, whoever wrote it:
/// the first of them is escaped. So is an older form, which may stand anywhere, and that of Azure.
pub(crate) fn no_command(line: &str) -> Cow<'_, str> {
    if line.contains("##[") || line.contains("##vso[") {
        let line = line.replace("##[", r"#\u{23}[").replace("##vso[", r"#\u{23}vso[");
        return no_command(&line).into_owned().into();
    }
    let text = line.trim_start();
    match text.strip_prefix("::") {
        Some(_) => format!("{}\\u{{3a}}{}", &line[..line.len() - text.len()], &text[1..]).into(),
        None => line.into(),
    }
}

/// The text as itself in Markdown, on one line, whatever it holds.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => escaped.push(' '),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => escaped.extend(['\\', character]),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The number with the noun, in the plural but for one.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_a_command_to_a_runner() {
        let told: Vec<_> = ["::error::x", "  ::error::x", "a ::b", ": ping"].map(no_command).into();
        assert_eq!(told, [r"\u{3a}:error::x", r"  \u{3a}:error::x", "a ::b", ": ping"]);
        assert_eq!(no_command("::a ##[error]b"), r"\u{3a}:a #\u{23}[error]b");
        assert_eq!(no_command("## ##vso[task.x]"), r"## #\u{23}vso[task.x]");
    }
}
