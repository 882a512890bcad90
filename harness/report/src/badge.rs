//! A badge for a README. It is green only if the complete suite was run and the target conforms.

use std::io;

use minijinja::context;
use serde_json::json;

use crate::model::{Compliance, Level, Report, Severity, Verdict};
use crate::{phrases, template};

/// Text of the left half.
const LABEL: &str = "fallproof";

/// Content of a badge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    /// Text of the right half.
    pub message: String,
    /// Background of the right half.
    pub color: Color,
}

/// Background color of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// The complete suite was run, and the target conforms.
    Green,
    /// The target conforms, except for failures in the baseline.
    Yellow,
    /// The target does not conform.
    Red,
    /// The badge says nothing about conformance: too little was judged, or Fallproof itself failed.
    Gray,
}

impl Badge {
    /// Returns the badge of a run.
    pub fn of(report: &Report) -> Self {
        let violated = report.requirements().filter(|it| it.verdict == Compliance::Fail);
        let (message, color) = match (report.verdict, violated.count()) {
            (Verdict::HarnessError, _) => ("harness error".to_owned(), Color::Gray),
            (Verdict::NotConformant, 0) if report.counts.fail == 0 => {
                ("inconclusive".to_owned(), Color::Gray)
            }
            (Verdict::NotConformant, 0) => ("not conformant".to_owned(), Color::Red),
            (Verdict::NotConformant, violated) => {
                (format!("{} violated", phrases::counted(violated, "requirement")), Color::Red)
            }
            (Verdict::Interrupted | Verdict::Conformant, _) if !report.is_whole() => {
                ("partial run".to_owned(), Color::Gray)
            }
            (_, known) if report.counts.expected > 0 => {
                (format!("{known} known to fail"), Color::Yellow)
            }
            (_, _) if !is_judged(report) => ("not judged".to_owned(), Color::Gray),
            (_, _) => ("conformant".to_owned(), Color::Green),
        };
        Self { message, color }
    }

    /// The content of `badge.json`, in the format of <https://shields.io/badges/endpoint-badge>.
    pub fn to_json(&self) -> String {
        let badge = json!({
            "schemaVersion": 1,
            "label": LABEL,
            "message": self.message,
            "color": self.color.hex(),
        });
        format!("{badge:#}\n")
    }

    /// The content of `badge.svg`.
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
            Self::Gray => "#636c76",
        }
    }
}

/// Total horizontal padding of each half, in pixels.
const PADDING: usize = 12;

/// Approximate width of the text in 11 px Verdana. The attribute `textLength` makes browsers fit
/// the text to this width.
fn width(text: &str) -> usize {
    text.chars().count() * 7 + PADDING
}

/// Whether every core requirement that applies to all gateways was judged.
fn is_judged(report: &Report) -> bool {
    let core = report.profiles.iter().find(|profile| profile.name == "core");
    let required =
        core.into_iter().flat_map(|profile| &profile.requirements).filter(|requirement| {
            requirement.level == Level::Invariant && requirement.severity == Severity::Must
        });
    let verdicts: Vec<_> = required.map(|requirement| requirement.verdict).collect();
    !verdicts.is_empty() && !verdicts.contains(&Compliance::NotJudged)
}
