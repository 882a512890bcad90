//! Reports: a run as people and machines read it.
//!
//! What was judged is [`convert`]ed case by case into the [`model`] and freed of keys ([`record`]); each
//! of the [reporters](reporter) is told of it. At the end the cases are [`assemble`]d, and most outputs
//! are written from that report alone.

pub mod assemble;
pub mod badge;
pub mod baseline;
pub mod compare;
pub mod convert;
pub mod event;
pub mod events;
pub mod github;
pub mod har;
pub mod html;
pub mod junit;
pub mod kept_evidence;
pub mod markdown;
pub mod model;
pub mod new_baseline;
pub mod phrases;
pub mod progress;
pub mod record;
pub mod redact;
pub mod report_dir;
pub mod reporter;
mod template;
pub mod terminal;
pub mod text;
pub mod texts;
mod tone;
pub mod trace;
