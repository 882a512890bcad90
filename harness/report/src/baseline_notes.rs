//! What reports say about entries of the baseline.

use serde::Serialize;
use strum::IntoStaticStr;

use crate::model::{Baseline, Stale};
use crate::phrases;

/// Maximum number of cases that a note names.
const MAX_CASES: usize = 3;

/// A note about an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What is to be said about the entry.
    pub kind: Kind,
    /// Line of the entry, from 1.
    pub line: usize,
    /// The note, in one sentence.
    pub message: String,
}

/// The kind of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Kind {
    /// The entry fails the run.
    Stale,
    /// The entry has no effect any more.
    Expired,
    /// The cause shows in more cases than the entry lists.
    Wider,
}

/// Returns the notes about all entries. The stale ones come first.
pub fn notes(baseline: &Baseline) -> Vec<Note> {
    let note = |kind, line, message| Note { kind, line, message };
    let stale = baseline.stale.iter().map(|it| note(Kind::Stale, it.line, stale(it)));
    let expired = baseline.expired.iter().map(|it| {
        let message = format!("`{}` has expired and is no longer expected.", it.cause);
        note(Kind::Expired, it.line, message)
    });
    let wider = baseline.wider.iter().map(|it| {
        let message = format!(
            "`{}` is expected, but also shows in {} not listed: {}.",
            it.cause,
            phrases::counted(it.cases.len(), "case"),
            some(&it.cases)
        );
        note(Kind::Wider, it.line, message)
    });
    stale.chain(expired).chain(wider).collect()
}

fn stale(entry: &Stale) -> String {
    let Stale { cause, similar, .. } = entry;
    match similar {
        Some(similar) => {
            format!("`{cause}` was not found in the cases of its entry; did you mean `{similar}`?")
        }
        None => format!("`{cause}` was not found in the cases of its entry; remove the entry."),
    }
}

/// The first of the ids, and how many there are more.
fn some(ids: &[String]) -> String {
    let mut text = ids.iter().take(MAX_CASES).map(String::as_str).collect::<Vec<_>>().join(", ");
    if ids.len() > MAX_CASES {
        text.push_str(", …");
    }
    text
}
