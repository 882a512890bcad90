//! The API key that a client sends to the target.

use fallproof_suite::scenario::ClientKey;
use fallproof_suite::secret::another;

/// Depending on `key`, replaces the right API key in the headers with a wrong one, or removes it.
pub fn headers_with_key(
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

    fn sent(key: ClientKey, right: &str) -> Vec<(String, String)> {
        let bearer = ("authorization".to_owned(), format!("Bearer {right}"));
        let other = ("x-team".to_owned(), "blue".to_owned());
        headers_with_key(key, right, vec![bearer, other])
    }

    #[rstest]
    #[case::right(ClientKey::Right, "sk-12", &["Bearer sk-12", "blue"])]
    #[case::wrong(ClientKey::Wrong, "sk-12", &["Bearer sk-21", "blue"])]
    #[case::wrong_of_one_character(ClientKey::Wrong, "kkk", &["Bearer kkkx", "blue"])]
    #[case::none(ClientKey::None, "sk-12", &["blue"])]
    #[case::none_without_a_right_one(ClientKey::None, "", &["Bearer ", "blue"])]
    fn a_client_sends_the_requested_kind_of_key(
        #[case] key: ClientKey,
        #[case] right: &str,
        #[case] expected: &[&str],
    ) {
        let values: Vec<_> = sent(key, right).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, expected);
    }
}
