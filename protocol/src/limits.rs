//! Limits shared by mocks and scenarios.

/// Maximum length of a request body that a mock accepts, in bytes. A longer body is refused with
/// 413.
pub const MOST_BODY_BYTES: usize = 32 * 1024 * 1024;
