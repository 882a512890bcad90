//! The parts of a provider's error that determine which deployment is tried next.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A provider's error, with `OpenAI`'s members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProviderError {
    /// Empty if absent.
    pub(crate) code: String,
    /// Empty if absent.
    pub(crate) message: String,
}

/// Why a provider refused a request that a different deployment may accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusalReason {
    /// The request exceeds the model's context length.
    ContextLength,
    /// A content filter refused the request.
    ContentFilter,
}

/// For each reason, the known error codes and known parts of error messages. The messages are
/// needed for deployments that send other codes, or no code at all.
///
/// The parts of messages are in lower case. They were seen in
/// <https://github.com/openai/openai-python/issues/331>,
/// <https://github.com/BerriAI/litellm/issues/15968> and
/// <https://github.com/BerriAI/litellm/pull/42255>.
const KNOWN_REFUSALS: [(RefusalReason, &[&str], &[&str]); 2] = [
    (
        RefusalReason::ContextLength,
        &["context_length_exceeded"],
        &[
            "maximum context length",
            "model's context length",
            "context window of this model",
            "input tokens exceed the configured limit",
        ],
    ),
    (
        RefusalReason::ContentFilter,
        &["content_filter", "ContentFiltered", "content_policy_violation", "moderation_blocked"],
        &[
            "content management policy",
            "rejected as a result of our safety system",
            "flagged as potentially violating our usage policy",
        ],
    ),
];

impl ProviderError {
    /// Reads the value of `error`, which is an object or just a message.
    pub(crate) fn of(error: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct Error<'a> {
            #[serde(borrow)]
            code: Option<&'a RawValue>,
            #[serde(borrow)]
            message: Option<&'a RawValue>,
        }

        let text = |value: &RawValue| {
            let string: Option<String> = serde_json::from_str(value.get()).ok();
            string.unwrap_or_else(|| value.get().to_owned())
        };
        match serde_json::from_str::<Error<'_>>(error.get()) {
            Ok(Error { code, message }) => Self {
                code: code.map(text).unwrap_or_default(),
                message: message.map(text).unwrap_or_default(),
            },
            _ => Self { code: String::new(), message: text(error) },
        }
    }

    /// The error in a body in `OpenAI`'s format: a JSON object whose `error` is an object. `None`
    /// if the body has another format.
    pub(crate) fn of_body(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body<'a> {
            #[serde(borrow)]
            error: &'a RawValue,
        }

        if !body.trim_ascii_start().starts_with(b"{") {
            return None;
        }
        let body: Body<'_> = serde_json::from_slice(body).ok()?;
        body.error.get().starts_with('{').then(|| Self::of(body.error))
    }

    /// Why the request was refused, if the reason is recognized.
    pub(crate) fn refusal_reason(&self) -> Option<RefusalReason> {
        let message = self.message.to_lowercase().replace('’', "'");
        let known = KNOWN_REFUSALS.into_iter().find(|(_, codes, sentences)| {
            codes.contains(&&*self.code)
                || sentences.iter().any(|sentence| message.contains(sentence))
        });
        known.map(|(reason, ..)| reason)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        r#"{"code":"context_length_exceeded","message":""}"#,
        Some(RefusalReason::ContextLength)
    )]
    #[case(
        r#"{"message":"This model's maximum context length is 8192 tokens.","code":null}"#,
        Some(RefusalReason::ContextLength)
    )]
    #[case(
        r#"{"message":"Input tokens exceed the configured limit of 272000 tokens.","code":"400"}"#,
        Some(RefusalReason::ContextLength)
    )]
    #[case(
        r#"{"message":"This is longer than the model’s context length."}"#,
        Some(RefusalReason::ContextLength)
    )]
    #[case(r#"{"code":"content_filter"}"#, Some(RefusalReason::ContentFilter))]
    #[case(
        r#"{"code":"content_policy_violation","message":"No."}"#,
        Some(RefusalReason::ContentFilter)
    )]
    #[case(
        r#"{"message":"... the prompt triggering Azure OpenAI’s content management policy."}"#,
        Some(RefusalReason::ContentFilter)
    )]
    #[case(
        r#""Your request was rejected as a result of our safety system.""#,
        Some(RefusalReason::ContentFilter)
    )]
    #[case(r#"{"code":"unknown_parameter","message":"Unknown parameter: 'context'."}"#, None)]
    #[case(r#"{"code":400,"message":["x"]}"#, None)]
    #[case("7", None)]
    #[case(r#"["content_filter"]"#, None)]
    fn a_reason_is_recognized_by_code_or_message(
        #[case] error: &str,
        #[case] reason: Option<RefusalReason>,
    ) {
        let error: &RawValue = serde_json::from_str(error).expect("JSON");
        assert_eq!(ProviderError::of(error).refusal_reason(), reason);
    }

    #[rstest]
    #[case(r#"{"error":{"code":"x","message":"y"}}"#, Some(("x", "y")))]
    #[case(r#"{"z":1,"error":{}}"#, Some(("", "")))]
    #[case(r#"{"error":"y"}"#, None)]
    #[case(r#"{"error":null}"#, None)]
    #[case("{}", None)]
    #[case(r#"[{"code":"x"}]"#, None)]
    #[case("", None)]
    fn only_an_object_under_error_is_openais_shape(
        #[case] body: &str,
        #[case] parts: Option<(&str, &str)>,
    ) {
        let error = parts.map(|(code, message)| ProviderError {
            code: code.to_owned(),
            message: message.to_owned(),
        });
        assert_eq!(ProviderError::of_body(body.as_bytes()), error);
    }
}
