//! Printing. If stdout cannot be written to, the command ends with an error, not with a panic
//! message.

use std::fmt::Arguments;
use std::io;
use std::panic::resume_unwind;

/// The error if standard output cannot be written to.
pub(super) struct Unprintable(pub(super) io::Error);

/// Prints to standard output. On an error, unwinds with [`Unprintable`].
pub(super) fn stdout(text: Arguments<'_>) {
    if let Err(error) = fallproof_report::print::stdout(&text.to_string()) {
        resume_unwind(Box::new(Unprintable(error)));
    }
}

/// Prints to standard error. Ignores errors: the command continues if nobody can read the message.
pub(super) fn stderr(text: Arguments<'_>) {
    let _ = fallproof_report::print::stderr(&text.to_string());
}

macro_rules! print {
    ($($text:tt)*) => { $crate::cli::print::stdout(format_args!($($text)*)) };
}

macro_rules! println {
    () => { $crate::cli::print::stdout(format_args!("\n")) };
    ($($text:tt)*) => { $crate::cli::print::stdout(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! eprintln {
    ($($text:tt)*) => { $crate::cli::print::stderr(format_args!("{}\n", format_args!($($text)*))) };
}

pub(super) use {eprintln, print, println};
