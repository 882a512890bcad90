//! The key that a client shows to the target.

use fallproof_suite::scenario::ClientKey;
use fallproof_suite::secret::another;

/// The headers of a client that shows this key instead of the right one, wherever that stands.
pub fn headers_showing(
    key: ClientKey,
    right: &str,
    headers: Vec<(String, String)>,
) -> Vec<(String, String)> {
    match key {
        _ if right.is_empty() => headers,
        ClientKey::Right => headers,
        ClientKey::Wrong => {
            let wrong = another(right);
            let replaced = |value: String| value.replace(right, &wrong);
            headers.into_iter().map(|(name, value)| (name, replaced(value))).collect()
        }
        ClientKey::None => {
            headers.into_iter().filter(|(_, value)| !value.contains(right)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn shown(key: ClientKey, right: &str) -> Vec<(String, String)> {
        let bearer = ("authorization".to_owned(), format!("Bearer {right}"));
        let other = ("x-team".to_owned(), "blue".to_owned());
        headers_showing(key, right, vec![bearer, other])
    }

    #[rstest]
    #[case::right(ClientKey::Right, "sk-12", &["Bearer sk-12", "blue"])]
    #[case::wrong(ClientKey::Wrong, "sk-12", &["Bearer sk-21", "blue"])]
    #[case::wrong_of_one_character(ClientKey::Wrong, "kkk", &["Bearer kkkx", "blue"])]
    #[case::none(ClientKey::None, "sk-12", &["blue"])]
    #[case::none_where_there_is_no_right_one(ClientKey::None, "", &["Bearer ", "blue"])]
    fn a_client_shows_the_key_that_it_is_told_to(
        #[case] key: ClientKey,
        #[case] right: &str,
        #[case] expected: &[&str],
    ) {
        let values: Vec<_> = shown(key, right).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, expected);
    }
}
