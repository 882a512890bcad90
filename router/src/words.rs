//! What an error says, as far as it matters for where the call goes next.

use serde::Deserialize;
use serde_json::value::RawValue;

/// The words of an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// Empty where there is none.
    pub(crate) code: String,
    /// Empty where there is none.
    pub(crate) message: String,
}

/// A refusal that a deployment of another kind may not repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The request is longer than the model can read.
    ContextLength,
    /// A filter took offence at the request.
    ContentFilter,
}

/// Codes, and parts of sentences for the deployments whose errors have other codes or none.
///
/// The sentences are in lower case. Seen in <https://github.com/openai/openai-python/issues/331>,
/// <https://github.com/BerriAI/litellm/issues/15968> and
/// <https://github.com/BerriAI/litellm/pull/42255>.
const CAUSES: [(Cause, &[&str], &[&str]); 2] = [
    (
        Cause::ContextLength,
        &["context_length_exceeded"],
        &[
            "maximum context length",
            "model's context length",
            "context window of this model",
            "input tokens exceed the configured limit",
        ],
    ),
    (
        Cause::ContentFilter,
        &["content_filter", "ContentFiltered", "content_policy_violation", "moderation_blocked"],
        &[
            "content management policy",
            "rejected as a result of our safety system",
            "flagged as potentially violating our usage policy",
        ],
    ),
];

impl Words {
    /// What stands under `error`: an object, or a bare sentence.
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

    /// The words of a body in `OpenAI`'s shape: a JSON object with an object under `error`.
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

    /// What they complain of, if that is known here.
    pub(crate) fn cause(&self) -> Option<Cause> {
        let message = self.message.to_lowercase().replace('’', "'");
        let known = CAUSES.into_iter().find(|(_, codes, sentences)| {
            codes.contains(&&*self.code)
                || sentences.iter().any(|sentence| message.contains(sentence))
        });
        known.map(|(cause, ..)| cause)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"code":"context_length_exceeded","message":""}"#, Some(Cause::ContextLength))]
    #[case(
        r#"{"message":"This model's maximum context length is 8192 tokens.","code":null}"#,
        Some(Cause::ContextLength)
    )]
    #[case(
        r#"{"message":"Input tokens exceed the configured limit of 272000 tokens.","code":"400"}"#,
        Some(Cause::ContextLength)
    )]
    #[case(
        r#"{"message":"This is longer than the model’s context length."}"#,
        Some(Cause::ContextLength)
    )]
    #[case(r#"{"code":"content_filter"}"#, Some(Cause::ContentFilter))]
    #[case(r#"{"code":"content_policy_violation","message":"No."}"#, Some(Cause::ContentFilter))]
    #[case(
        r#"{"message":"... the prompt triggering Azure OpenAI’s content management policy."}"#,
        Some(Cause::ContentFilter)
    )]
    #[case(
        r#""Your request was rejected as a result of our safety system.""#,
        Some(Cause::ContentFilter)
    )]
    #[case(r#"{"code":"unknown_parameter","message":"Unknown parameter: 'context'."}"#, None)]
    #[case(r#"{"code":400,"message":["x"]}"#, None)]
    #[case("7", None)]
    #[case(r#"["content_filter"]"#, None)]
    fn a_cause_is_known_by_its_code_or_its_sentence(
        #[case] error: &str,
        #[case] cause: Option<Cause>,
    ) {
        let error: &RawValue = serde_json::from_str(error).expect("JSON");
        assert_eq!(Words::of(error).cause(), cause);
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
        #[case] words: Option<(&str, &str)>,
    ) {
        let words = words
            .map(|(code, message)| Words { code: code.to_owned(), message: message.to_owned() });
        assert_eq!(Words::of_body(body.as_bytes()), words);
    }
}
