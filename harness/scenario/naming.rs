//! How ids, tags, upstreams, groups and axes are named.

/// Lower-case letters, digits and `-`.
pub(super) fn is_kebab_case(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.bytes().all(fits)
}
