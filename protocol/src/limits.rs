//! Limits that the mocks and the scenarios agree on.

/// The longest request body that a mock accepts, in bytes; a longer one is refused with 413.
pub const MOST_BODY_BYTES: usize = 32 * 1024 * 1024;
