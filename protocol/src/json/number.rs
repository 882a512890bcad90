//! Exact comparison of JSON numbers of any size.

use std::cmp::Ordering;

/// A JSON number, independent of its spelling: the sign, the significant digits, and the power of
/// ten that the last digit stands for.
#[derive(PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Parses a JSON number. Returns `None` for any other scalar, and for an exponent beyond 64
    /// bits.
    pub(super) fn of(text: &str) -> Option<Self> {
        let is_negative = text.starts_with('-');
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{integer}{fraction}");
        let digits = all.trim_start_matches('0').trim_end_matches('0').to_owned();
        let trailing = all.len() - all.trim_end_matches('0').len();
        let exponent = match digits.len().cmp(&0) {
            Ordering::Greater => exponent
                .parse::<i64>()
                .ok()?
                .checked_sub(i64::try_from(fraction.len()).ok()?)?
                .checked_add(i64::try_from(trailing).ok()?)?,
            _ => 0,
        };
        // Zero has no sign, so `-0` equals `0`.
        let negative = is_negative && !digits.is_empty();
        Some(Self { negative, digits, exponent })
    }
}
