//! A comparison as Markdown.

use std::fmt::Write as _;

use super::change::{Change, Shift};
use super::{Comparison, Profile};
use crate::markdown::escape;
use crate::words;

/// So many cases are named; their number is told whole.
const MOST_CASES: usize = 5;

/// What the signs mean, for whoever has not seen them before.
pub(super) const LEGEND: [&str; 3] = [
    "✓ kept · ○ kept as declared, or noted: a way of its makers that is not held against it · \
     ! advised and not kept · ✕ broken · – not judged: no case that was written for it led to a verdict.",
    "A choice binds a gateway that claims it, and advice only warns. What a gateway does not claim \
     is not judged, so the longer column is not the better gateway.",
    "Better and worse go by the cases that led to a verdict in both reports.",
];

impl Comparison<'_> {
    /// The text of the comparison.
    pub fn to_markdown(&self) -> String {
        let mut text = "# Fallproof: a comparison\n\n".to_owned();
        self.overview_table(&mut text);
        for caution in &self.cautions {
            let _ = writeln!(text, "> {}\n", escape(caution));
        }
        self.changes.iter().for_each(|it| change(&mut text, it));
        text.push_str("## Requirements\n\n");
        self.profiles.iter().for_each(|profile| self.matrix(&mut text, profile));
        for words in LEGEND {
            let _ = writeln!(text, "<sub>{words}</sub>\n");
        }
        self.explanations(&mut text);
        text
    }

    /// The head of a table with a column for each report.
    fn head(&self, text: &mut String, first: &str, align: &str) {
        let names = self.columns.iter().map(|column| escape(&column.name));
        row(text, first, names);
        row(text, "---", self.columns.iter().map(|_| align.to_owned()));
    }

    fn overview_table(&self, text: &mut String) {
        self.head(text, "", "--:");
        row(text, "verdict", self.columns.iter().map(|column| format!("**{}**", column.verdict)));
        for fact in &self.overview {
            row(text, fact.what, fact.values.iter().map(|value| escape(value)));
        }
        text.push('\n');
    }

    fn matrix(&self, text: &mut String, profile: &Profile<'_>) {
        let _ = writeln!(text, "### {}\n", escape(profile.name));
        if !profile.rows.is_empty() {
            self.head(text, "requirement", "---");
            for it in &profile.rows {
                let link = it.code.to_lowercase();
                let code = if it.is_explained {
                    format!("[{}](#{link})", it.code)
                } else {
                    it.code.to_owned()
                };
                let mark = it.mark.map_or_else(String::new, |mark| format!(" *({mark})*"));
                let first = format!("**{code}** {}{mark}", sentence(it.sentence));
                let cells = it.cells.iter().map(|cell| format!("{} {}", cell.sign, cell.words));
                row(text, &first, cells);
            }
            text.push('\n');
        }
        if !profile.unjudged.is_empty() {
            let number = words::requirements(profile.unjudged.len());
            let codes = profile.unjudged.join(", ");
            let _ = writeln!(
                text,
                "<details><summary>Judged in no report: {number}</summary>\n\n{codes}\n\n</details>\n"
            );
        }
    }

    fn explanations(&self, text: &mut String) {
        if self.explained.is_empty() {
            return;
        }
        text.push_str("## What is not kept, and why it matters\n\n");
        for explained in &self.explained {
            let it = explained.requirement;
            let _ = writeln!(
                text,
                "### {}\n\n**{}** {} {}\n",
                it.code, it.sentence, it.why, explained.binds
            );
            for broken in &explained.broken {
                let cases: Vec<_> = broken.cases.iter().map(String::as_str).collect();
                let _ = writeln!(
                    text,
                    "- {}: {} in {}",
                    escape(&broken.name),
                    broken.word,
                    listed(&cases)
                );
            }
            let sources: Vec<_> = it.sources.iter().map(|source| format!("<{source}>")).collect();
            let _ = writeln!(text, "\nSources: {}\n", sources.join(", "));
        }
    }
}

fn row(text: &mut String, first: &str, cells: impl Iterator<Item = String>) {
    let cells: Vec<_> = cells.collect();
    let _ = writeln!(text, "| {first} | {} |", cells.join(" | "));
}

/// A requirement's sentence, which has code in backticks, in a cell.
fn sentence(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn change(text: &mut String, change: &Change<'_>) {
    let (from, to) = (escape(&change.from), escape(&change.to));
    let _ = writeln!(text, "## {}\n", escape(&change.title));
    let _ = writeln!(text, "{} led to a verdict in both.\n", words::cases(change.judged));
    for (title, shifts) in change.titled() {
        if shifts.is_empty() {
            continue;
        }
        let _ = writeln!(text, "**{}**\n", escape(&title));
        for it in shifts {
            shift(text, it);
        }
        text.push('\n');
    }
    if change.is_same() {
        text.push_str("In them every requirement is kept as before.\n\n");
    }
    if !change.choices.is_empty() {
        text.push_str("**Another choice, neither better nor worse**\n\n");
        for it in &change.choices {
            let said = sentence(it.sentence);
            let _ = writeln!(text, "- **{}** {said} {}, then {}.", it.code, it.before, it.after);
        }
        text.push('\n');
    }
    for (cases, name) in [(&change.only_before, &from), (&change.only_after, &to)] {
        if !cases.is_empty() {
            let _ = writeln!(text, "Led to a verdict in {name} only: {}.\n", listed(cases));
        }
    }
}

fn shift(text: &mut String, shift: &Shift<'_>) {
    let Shift { code, before, after, .. } = shift;
    let said = sentence(shift.sentence);
    let _ = writeln!(text, "- **{code}** {said} Not kept: {before} → {after}.");
    for (what, cases) in [("kept better", &shift.mended), ("kept worse", &shift.broken)] {
        if !cases.is_empty() {
            let _ = writeln!(text, "  - {what} in {}", listed(cases));
        }
    }
}

/// How many cases, and the first of them by name.
fn listed(cases: &[&str]) -> String {
    let mut named: Vec<_> = cases.iter().take(MOST_CASES).map(|id| format!("`{id}`")).collect();
    if cases.len() > MOST_CASES {
        named.push("…".to_owned());
    }
    format!("{}: {}", words::cases(cases.len()), named.join(", "))
}
