//! Printing. An output that cannot be written to ends the command; it is not a panic.

use std::fmt::Arguments;
use std::io::{self, Write as _};
use std::panic::resume_unwind;

/// Standard output cannot be written to.
pub(super) struct Unprintable(pub(super) io::Error);

/// Prints to standard output; what cannot be printed unwinds with [`Unprintable`].
pub(super) fn stdout(text: Arguments<'_>) {
    let mut stdout = anstream::stdout().lock();
    if let Err(error) = stdout.write_fmt(text).and_then(|()| stdout.flush()) {
        drop(stdout);
        resume_unwind(Box::new(Unprintable(error)));
    }
}

/// Prints to standard error, where that can be written to: a message that nobody reads is no reason
/// to stop.
pub(super) fn stderr(text: Arguments<'_>) {
    let _ = anstream::stderr().lock().write_fmt(text);
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
