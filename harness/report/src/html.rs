//! `index.html`: the report as a self-contained page.
//!
//! It begins with the verdict and the causes. Requirements and cases follow. Every case is on the
//! page, but only some failed cases are there with their calls and differences.

mod case;
mod cause;
mod requirement;
mod step;

use std::io;

use minijinja::context;
use minijinja::value::{Serde, Value};

use crate::model::{Report, Target};
use crate::{baseline_notes, phrases, template, tone};

/// The content of `index.html`.
pub fn write(report: &Report) -> io::Result<String> {
    let view = context! {
        tool => Serde(&report.tool),
        head => head(report),
        baseline => Serde(report.baseline.as_ref().map(baseline_notes::notes)),
        baseline_file => report.baseline.as_ref().map(|it| &it.file),
        claims => Serde(&report.claims),
        broken => cause::view(report),
        profiles => requirement::profiles(report),
        requirements => requirement::groups(report),
        counts => Serde(&report.counts),
        cases => case::view(report),
    };
    template::page("report.html", view)
}

/// The verdict, the counts and the facts of the run.
fn head(report: &Report) -> Value {
    let Target { name, version, adapter, variant, address } = &report.target;
    let selection = &report.run.selection;
    let selected: Vec<_> =
        selection.patterns.iter().chain(&selection.tags).map(String::as_str).collect();
    context! {
        name,
        version,
        adapter,
        variant,
        address,
        tone => tone::of_report(report),
        headline => phrases::headline(report),
        scope => phrases::scope(report),
        started => &report.run.started,
        started_in_words => report.run.started.replace('T', " ").replace('Z', " UTC"),
        took => phrases::took(report),
        selected => selected.join(" "),
        fingerprint => phrases::short(&report.suite.fingerprint),
    }
}
