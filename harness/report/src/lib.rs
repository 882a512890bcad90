//! Reports of a run, for people and for machines.
//!
//! Each judged case is [`convert`]ed into the [`model`], its API keys are redacted ([`record`]),
//! and it is passed to the [reporters](reporter) as an event. When the run ends, the cases are
//! [`assemble`]d into a report. Most outputs are written from that report alone.

pub mod assemble;
pub mod badge;
pub mod baseline;
pub mod baseline_notes;
mod bounds;
pub mod bug_report;
pub mod causes;
pub mod compare;
pub mod convert;
pub mod event;
pub mod events;
pub mod evidence_file;
pub mod github;
pub mod har;
pub mod hints;
pub mod html;
pub mod junit;
pub mod markdown;
pub mod model;
pub mod new_baseline;
pub mod phrases;
pub mod print;
pub mod progress;
pub mod record;
pub mod redact;
pub mod report_dir;
pub mod report_file;
pub mod reporter;
mod template;
pub mod terminal;
pub mod text;
pub mod texts;
mod tone;
pub mod trace;
pub mod whole_file;
mod wrap;
