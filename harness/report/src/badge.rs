//! A badge for a README, green only where the whole suite was run and speaks for the target.

use std::io;

use minijinja::context;
use serde_json::json;

use crate::model::{Kept, Level, Report, Severity, Verdict};
use crate::{phrases, template};

/// What stands on the left.
const LABEL: &str = "fallproof";

/// A badge in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    /// What stands on the right.
    pub message: String,
    /// Behind it.
    pub color: Color,
}

/// The color behind the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// The whole suite was run, and the target conforms.
    Green,
    /// It conforms but for what is known.
    Yellow,
    /// It does not.
    Red,
    /// Too little is known.
    Grey,
}

impl Badge {
    /// The badge of a run.
    pub fn of(report: &Report) -> Self {
        let broken = report.requirements().filter(|it| it.verdict == Kept::Fail);
        let (message, color) = match (report.verdict, broken.count()) {
            (Verdict::HarnessError, _) => ("harness error".to_owned(), Color::Grey),
            (Verdict::NotConformant, 0) if report.counts.fail == 0 => {
                ("inconclusive".to_owned(), Color::Grey)
            }
            (Verdict::NotConformant, 0) => ("not conformant".to_owned(), Color::Red),
            (Verdict::NotConformant, broken) => {
                (format!("{} broken", phrases::counted(broken, "requirement")), Color::Red)
            }
            (Verdict::Interrupted | Verdict::Conformant, _) if !report.is_whole() => {
                ("partial run".to_owned(), Color::Grey)
            }
            (_, known) if report.counts.expected > 0 => {
                (format!("{known} known to be broken"), Color::Yellow)
            }
            (_, _) if !is_judged(report) => ("not judged".to_owned(), Color::Grey),
            (_, _) => ("conformant".to_owned(), Color::Green),
        };
        Self { message, color }
    }

    /// The text of `badge.json`, as <https://shields.io/badges/endpoint-badge> wants it.
    pub fn to_json(&self) -> String {
        let badge = json!({
            "schemaVersion": 1,
            "label": LABEL,
            "message": self.message,
            "color": self.color.hex(),
        });
        format!("{badge:#}\n")
    }

    /// The text of `badge.svg`.
    pub fn to_svg(&self) -> io::Result<String> {
        let view = context! {
            label => LABEL,
            message => &self.message,
            color => self.color.hex(),
            left => width(LABEL),
            right => width(&self.message),
            padding => PADDING,
        };
        template::page("badge.svg", view)
    }
}

impl Color {
    fn hex(self) -> &'static str {
        match self {
            Self::Green => "#1a7f37",
            Self::Yellow => "#946200",
            Self::Red => "#c62828",
            Self::Grey => "#636c76",
        }
    }
}

/// Left and right of a text together.
const PADDING: usize = 12;

/// About how wide the text is in 11 px Verdana; `textLength` makes it exact.
fn width(text: &str) -> usize {
    text.chars().count() * 7 + PADDING
}

/// Whether all that binds every gateway was judged.
fn is_judged(report: &Report) -> bool {
    let core = report.profiles.iter().find(|profile| profile.name == "core");
    let binding =
        core.into_iter().flat_map(|profile| &profile.requirements).filter(|requirement| {
            requirement.level == Level::Invariant && requirement.severity == Severity::Must
        });
    let verdicts: Vec<_> = binding.map(|requirement| requirement.verdict).collect();
    !verdicts.is_empty() && !verdicts.contains(&Kept::NotJudged)
}
