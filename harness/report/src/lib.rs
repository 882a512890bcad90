//! Reports: a run as people and machines read it.
//!
//! What was driven and judged is [`convert`]ed case by case into the [`model`], freed of keys
//! ([`redact`]) and [`assemble`]d; all else is written from the model alone.

pub mod assemble;
pub mod badge;
pub mod baseline;
pub mod compare;
pub mod convert;
pub mod events;
pub mod folder;
pub mod github;
pub mod har;
pub mod html;
pub mod junit;
pub mod markdown;
pub mod model;
pub mod progress;
pub mod raw;
pub mod record;
pub mod redact;
pub mod text;
pub mod trace;
pub mod words;
