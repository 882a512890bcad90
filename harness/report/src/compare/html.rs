//! A comparison as one page that needs nothing beside itself.

use minijinja::value::Serde;
use serde::Serialize;

use super::Comparison;
use super::change::Shift;
use super::markdown::LEGEND;
use crate::model::Tool;
use crate::{assemble, html};

/// What `compare.html` is drawn from.
#[derive(Serialize)]
struct View<'a> {
    comparison: &'a Comparison<'a>,
    /// For each change its headings, with what stands below them.
    titled: Vec<Vec<(String, &'a Vec<Shift<'a>>)>>,
    /// For each change whether nothing is other than before.
    same: Vec<bool>,
    legend: [&'static str; 3],
    style: &'static str,
    tool: Tool,
}

impl Comparison<'_> {
    /// The text of the page.
    ///
    /// # Errors
    /// The template's; none are known.
    pub fn to_html(&self) -> Result<String, String> {
        let view = View {
            comparison: self,
            titled: self.changes.iter().map(|change| change.titled().into()).collect(),
            same: self.changes.iter().map(super::change::Change::is_same).collect(),
            legend: LEGEND,
            style: html::STYLE,
            tool: assemble::tool(),
        };
        html::render("compare.html", Serde(view))
    }
}
