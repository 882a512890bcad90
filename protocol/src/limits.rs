//! Limits shared by mocks and scenarios.

/// Maximum number of values in a JSON body. A few bytes per value are enough to fill hundreds of
/// megabytes once they are parsed.
pub const MOST_JSON_VALUES: usize = 250_000;

/// Whether this JSON has more values than [`MOST_JSON_VALUES`]. Counts brackets and commas, which is
/// close enough, and does not require that the JSON is valid.
pub fn has_too_many_values(json: &[u8]) -> bool {
    if json.len() <= MOST_JSON_VALUES {
        return false;
    }
    let (mut values, mut is_string, mut is_escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_string,
            b'"' => is_string = !is_string,
            b',' | b'[' | b'{' if !is_string => values += 1,
            _ => {}
        }
    }
    values > MOST_JSON_VALUES
}

/// Maximum length of a request body that a mock accepts, in bytes. A longer body is refused with
/// 413.
pub const MOST_BODY_BYTES: usize = 32 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_but_not_what_looks_like_them_in_a_string() {
        let of = |item: &str, count| format!("[{}0]", item.repeat(count)).into_bytes();
        assert!(!has_too_many_values(&of("0,", MOST_JSON_VALUES - 1)));
        assert!(has_too_many_values(&of("0,", MOST_JSON_VALUES)));
        assert!(has_too_many_values(&of("[", MOST_JSON_VALUES)));
        let text = format!(r#"["{}\\"{}"]"#, ",".repeat(MOST_JSON_VALUES), "[{,".repeat(9));
        assert!(!has_too_many_values(text.as_bytes()));
    }
}
