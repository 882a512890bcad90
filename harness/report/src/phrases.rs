//! Sentences about a report, shared by all output formats.

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::DateTime;

use fallproof_suite::requirement;
use fallproof_suite::text::is_printable;

use crate::model::{
    Case, Cause, Compliance, Counts, Level, Profile, Report, Requirement, Severity, Verdict,
    Violation, met_and_judged,
};

/// The result of the run, in one sentence.
pub fn headline(report: &Report) -> String {
    let target = &report.target;
    let counts = report.counts;
    let (_, judged) = met_and_judged(report.requirements());
    let violated =
        report.requirements().filter(|it| it.verdict == Compliance::Fail && !it.expected);
    match (report.verdict, violated.count()) {
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
            format!("The result for {target} is uncertain: {cases} {verb} inconclusive.")
        }
        (Verdict::NotConformant, 0) => {
            "The baseline is stale: it lists causes that are no longer found.".to_owned()
        }
        (Verdict::NotConformant, violated) => format!(
            "{target} does not conform: {violated} of {judged} judged requirements {} violated.",
            if violated == 1 { "is" } else { "are" }
        ),
        (Verdict::Interrupted, _) => {
            format!("The run was interrupted. {target} failed none of the cases that ran.")
        }
        (Verdict::Conformant, _) if judged == 0 => {
            format!("No requirement was judged for {target}.")
        }
        (Verdict::Conformant, _) if counts.expected > 0 => {
            format!("{target} fails only as its baseline expects, in {}.", cases(counts.expected))
        }
        (Verdict::Conformant, _) => {
            format!("{target} conforms: it meets all {judged} judged requirements.")
        }
    }
}

/// The call that a violation is about, e.g. `call 2: `. Empty if the case has only one call.
///
/// Only calls are numbered, as in a trace. Scenario steps that advance the clock do not count.
pub fn call(case: &Case, violation: &Violation) -> String {
    if case.steps.len() > 1 { format!("call {}: ", violation.step) } else { String::new() }
}

/// The calls of a silent failure, e.g. ` in calls 2, 3`. Empty if the case has only one call.
pub fn silent_calls(case: &Case) -> String {
    let calls: Vec<_> = case.silent_steps.iter().map(ToString::to_string).collect();
    match calls.len() {
        _ if case.steps.len() < 2 => String::new(),
        0 => String::new(),
        1 => format!(" in call {}", calls[0]),
        _ => format!(" in calls {}", calls.join(", ")),
    }
}

/// How much of the suite was selected and run, in a few sentences.
pub fn scope(report: &Report) -> String {
    let selection = &report.run.selection;
    let mut text = if selection.whole {
        format!("All {} of the suite were selected.", cases(selection.cases))
    } else {
        format!("{} of the suite's {} were selected.", selection.cases, cases(report.suite.cases))
    };
    for (number, what) in [
        (report.counts.skipped, "skipped, each with a reason"),
        (report.counts.not_robust, "not robust, which is no part of the verdict"),
        (report.counts.inconclusive, "inconclusive"),
        (report.counts.not_run, "not run, because the run was interrupted"),
    ] {
        if number > 0 {
            let verb = if number == 1 { "was" } else { "were" };
            let _ = write!(text, " {number} {verb} {what}.");
        }
    }
    text
}

/// The results of a profile, e.g. `3 of 4 judged requirements met, 17 of 18 cases passed`.
pub fn profile(profile: &Profile) -> String {
    let (met, judged) = met_and_judged(profile.requirements.iter());
    let Counts { pass, warn, fail, expected, inconclusive, harness_error, .. } = profile.counts;
    let ran = pass + warn + fail + expected + inconclusive + harness_error;
    let requirements = match (profile.requirements.len(), judged) {
        (0, _) => String::new(),
        (_, 0) => "no requirement judged, ".to_owned(),
        _ => format!("{met} of {judged} judged requirements met, "),
    };
    match ran {
        0 => format!("{requirements}no case run"),
        _ => format!("{requirements}{} of {} passed", pass + warn, cases(ran)),
    }
}

/// In how many cases a cause shows, and how often the client gets no sign of an error.
pub fn extent(cause: &Cause) -> String {
    let could_show = &cause.could_show;
    let number = cause.cases.len();
    let mut text = if number == *could_show {
        format!("{}, all that could show it.", cases(number))
    } else {
        format!("{number} of {} that could show it.", cases(*could_show))
    };
    if let Some(silent) = silent(cause) {
        let _ = write!(text, " Silent: {silent}.");
    }
    text
}

/// In how many of a cause's cases the client got no sign of an error; `None` if it got one in all.
pub fn silent(cause: &Cause) -> Option<String> {
    let number = cause.cases.len();
    let them = match cause.silent {
        0 => return None,
        silent if silent == number => String::new(),
        silent => format!("in {silent} of the {number} cases, "),
    };
    Some(format!("{them}the client got no sign of an error"))
}

/// The result for a requirement, in a word or two.
pub fn compliance(requirement: &Requirement) -> &'static str {
    if requirement.expected { "expected" } else { requirement.verdict.word() }
}

/// Which gateways a requirement applies to, in a sentence.
pub fn applies_to(requirement: &Requirement) -> &'static str {
    match (requirement.level, requirement.severity) {
        (Level::Invariant, Severity::Must) => "Applies to every gateway.",
        (Level::Invariant, Severity::Should) => {
            "Recommended for every gateway: a violation only warns."
        }
        (Level::Policy, _) => "Applies to gateways that claim it.",
        (Level::Observation, _) => "Informational: applies to no gateway.",
    }
}

/// Duration of the run, e.g. `2 min 5 s`.
pub fn took(report: &Report) -> String {
    match took_ms(report) {
        Some(millis @ 0..10_000) => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        Some(millis @ 10_000..120_000) => format!("{} s", millis / 1000),
        Some(millis) => format!("{} min {} s", millis / 60_000, millis / 1000 % 60),
        None => "unknown".to_owned(),
    }
}

/// Duration of the run in milliseconds, if known.
pub(crate) fn took_ms(report: &Report) -> Option<i64> {
    let at = |time: &str| DateTime::parse_from_rfc3339(time).ok();
    let took = at(&report.run.ended).zip(at(&report.run.started));
    took.map(|(ended, started)| (ended - started).num_milliseconds())
}

/// The sentence of the requirement with this code. Empty if there is no such requirement.
pub fn sentence(code: &str) -> &'static str {
    requirement::find(code).map_or("", |found| found.sentence.as_str())
}

/// A requirement's code without the common prefix `FP-`.
pub fn brief(code: &str) -> &str {
    code.strip_prefix("FP-").unwrap_or(code)
}

/// The first 19 characters of a fingerprint, which are enough to distinguish two fingerprints.
pub fn short(fingerprint: &str) -> &str {
    fingerprint.get(..19).unwrap_or(fingerprint)
}

/// `1 case`, `2 cases`.
pub fn cases(number: usize) -> String {
    counted(number, "case")
}

/// Replaces characters that are not printable. The output of a target may contain any character.
pub fn printable(text: &str) -> String {
    let is_unprintable = |it: char| {
        let is_space = matches!(it, '\n' | '\t' | '\u{2028}' | '\u{2029}');
        !(is_space || is_printable(it)) || matches!(it, '\u{fffe}' | '\u{ffff}')
    };
    text.replace(is_unprintable, "\u{fffd}")
}

/// The text as one printable line.
///
/// Output of a target must not start a new line: a reader could mistake that line for output of
/// Fallproof, and a CI runner could interpret it as a command.
pub fn line(text: &str) -> String {
    let line_ends = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    printable(&text.replace("\r\n", " ").replace(line_ends, " "))
}

/// Escapes what a CI runner would interpret as a command: `::` at the start of a line, even after
/// white space, and `##[` and `##vso[` anywhere in a line.
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

/// Turns a text from a target or a file into one printable line that is no command for a CI runner.
pub(crate) fn make_safe(text: &mut String) {
    *text = no_command(&line(text)).into_owned();
}

/// Escapes what would notify somebody if the Markdown were posted as a comment: `@name`. Ids of cases
/// have an `@` within a word, which notifies nobody.
pub(crate) fn no_mention(markdown: &str) -> String {
    let mut parts = markdown.split('@');
    let mut escaped = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_within_a_word = escaped.ends_with(char::is_alphanumeric);
        escaped.push_str(if is_within_a_word { "@" } else { "&#64;" });
        escaped.push_str(part);
    }
    escaped
}

/// The text escaped for Markdown, on one line.
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
    no_mention(&escaped)
}

/// The number and the noun. The noun is plural unless the number is 1.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_mentioned_in_markdown() {
        assert_eq!(markdown("@team, ask a@b or (@c)"), "&#64;team, ask a@b or (&#64;c)");
    }

    #[test]
    fn no_line_is_a_command_for_a_ci_runner() {
        let told: Vec<_> = ["::error::x", "  ::error::x", "a ::b", ": ping"].map(no_command).into();
        assert_eq!(told, [r"\u{3a}:error::x", r"  \u{3a}:error::x", "a ::b", ": ping"]);
        assert_eq!(no_command("::a ##[error]b"), r"\u{3a}:a #\u{23}[error]b");
        assert_eq!(no_command("## ##vso[task.x]"), r"## #\u{23}vso[task.x]");
    }
}
