//! The endpoints of the router, and which responses are valid for each of them.

use strum::{IntoStaticStr, VariantArray};

use crate::event::Dialect;
use crate::splice::RequestHints;

/// An endpoint, named by its path below the version prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Endpoint {
    /// `POST /chat/completions`
    #[strum(to_string = "chat/completions")]
    ChatCompletions,
    /// `POST /completions`
    #[strum(to_string = "completions")]
    Completions,
    /// `POST /embeddings`
    #[strum(to_string = "embeddings")]
    Embeddings,
    /// `POST /responses`
    #[strum(to_string = "responses")]
    Responses,
    /// `POST /responses/compact`
    #[strum(to_string = "responses/compact")]
    ResponsesCompact,
    /// `POST /images/generations`
    #[strum(to_string = "images/generations")]
    ImagesGenerations,
    /// `POST /audio/speech`
    #[strum(to_string = "audio/speech")]
    AudioSpeech,
    /// `POST /audio/transcriptions`
    #[strum(to_string = "audio/transcriptions")]
    AudioTranscriptions,
    /// `POST /audio/translations`
    #[strum(to_string = "audio/translations")]
    AudioTranslations,
    /// `POST /moderations`; Azure does not have it.
    #[strum(to_string = "moderations")]
    Moderations,
}

/// The form of a successful response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One JSON object.
    Object,
    /// Text that is not empty: a transcript in a format other than JSON.
    Text,
    /// Audio, forwarded as it arrives.
    Audio,
    /// Server-sent events, forwarded as they arrive.
    Events(Dialect),
}

impl Endpoint {
    /// All endpoints of the router.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The path below the version prefix, without a leading slash.
    pub fn path(self) -> &'static str {
        self.into()
    }

    /// Whether later calls may refer to the id of a response from this endpoint.
    pub(crate) fn is_stateful(self) -> bool {
        matches!(self, Self::Responses | Self::ResponsesCompact)
    }

    /// Whether requests to this endpoint are forms with a file rather than JSON.
    pub(crate) fn takes_a_form(self) -> bool {
        matches!(self, Self::AudioTranscriptions | Self::AudioTranslations)
    }

    /// Dialect of the events, if the client requests a stream of events.
    pub(crate) fn events(self, hints: &RequestHints) -> Option<Dialect> {
        let (wanted, dialect) = match self {
            Self::ChatCompletions | Self::Completions => (hints.stream, Dialect::Choices),
            Self::Responses | Self::ImagesGenerations | Self::AudioTranscriptions => {
                (hints.stream, Dialect::Typed)
            }
            Self::AudioSpeech => (hints.stream_format.as_deref() == Some("sse"), Dialect::Typed),
            _ => return None,
        };
        wanted.then_some(dialect)
    }

    /// Shape of a success with this media type; `None` if a success cannot have this type.
    ///
    /// A response of a kind that the client did not request counts as invalid, since the client
    /// cannot use it.
    pub(crate) fn shape(self, hints: &RequestHints, media_type: &str) -> Option<Shape> {
        let events = self.events(hints);
        let text = matches!(hints.response_format.as_deref(), Some("text" | "srt" | "vtt"));
        match self {
            _ if media_type == "text/event-stream" => events.map(Shape::Events),
            // Some transcription models ignore `stream`:
            // <https://platform.openai.com/docs/api-reference/audio>.
            _ if events.is_some() && self != Self::AudioTranscriptions => None,
            Self::AudioSpeech => {
                let is_audio =
                    media_type.starts_with("audio/") || media_type == "application/octet-stream";
                is_audio.then_some(Shape::Audio)
            }
            Self::AudioTranscriptions | Self::AudioTranslations if text => {
                let types = ["text/plain", "text/vtt", "text/srt", "application/x-subrip"];
                types.contains(&media_type).then_some(Shape::Text)
            }
            _ => (media_type == "application/json").then_some(Shape::Object),
        }
    }

    /// Value of the `Accept` header.
    pub(crate) fn accept(self, hints: &RequestHints) -> &'static str {
        match self {
            _ if self.events(hints).is_some() => "text/event-stream",
            Self::AudioSpeech | Self::AudioTranscriptions | Self::AudioTranslations => "*/*",
            _ => "application/json",
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const EVENTS: &str = "text/event-stream";
    const JSON: &str = "application/json";

    fn plain() -> RequestHints {
        RequestHints::default()
    }

    fn stream() -> RequestHints {
        RequestHints { stream: true, ..RequestHints::default() }
    }

    fn format(format: &str) -> RequestHints {
        RequestHints { response_format: Some(format.to_owned()), ..RequestHints::default() }
    }

    fn sse() -> RequestHints {
        RequestHints { stream_format: Some("sse".to_owned()), ..RequestHints::default() }
    }

    #[rstest]
    #[case(Endpoint::ChatCompletions, plain(), JSON, Some(Shape::Object))]
    #[case(Endpoint::ChatCompletions, plain(), EVENTS, None)]
    #[case(Endpoint::ChatCompletions, stream(), EVENTS, Some(Shape::Events(Dialect::Choices)))]
    #[case(Endpoint::ChatCompletions, stream(), JSON, None)]
    #[case(Endpoint::ChatCompletions, sse(), JSON, Some(Shape::Object))]
    #[case(Endpoint::ChatCompletions, format("text"), JSON, Some(Shape::Object))]
    #[case(Endpoint::ChatCompletions, format("text"), "text/plain", None)]
    #[case(Endpoint::Completions, stream(), EVENTS, Some(Shape::Events(Dialect::Choices)))]
    #[case(Endpoint::Responses, stream(), EVENTS, Some(Shape::Events(Dialect::Typed)))]
    #[case(Endpoint::ResponsesCompact, stream(), JSON, Some(Shape::Object))]
    #[case(Endpoint::ResponsesCompact, stream(), EVENTS, None)]
    #[case(Endpoint::Embeddings, plain(), "text/html", None)]
    #[case(Endpoint::Embeddings, plain(), "", None)]
    #[case(Endpoint::Moderations, plain(), JSON, Some(Shape::Object))]
    #[case(Endpoint::ImagesGenerations, plain(), JSON, Some(Shape::Object))]
    #[case(Endpoint::ImagesGenerations, stream(), EVENTS, Some(Shape::Events(Dialect::Typed)))]
    #[case(Endpoint::AudioSpeech, plain(), "audio/mpeg", Some(Shape::Audio))]
    #[case(Endpoint::AudioSpeech, plain(), "application/octet-stream", Some(Shape::Audio))]
    #[case(Endpoint::AudioSpeech, plain(), JSON, None)]
    #[case(Endpoint::AudioSpeech, plain(), "text/html", None)]
    #[case(Endpoint::AudioSpeech, sse(), EVENTS, Some(Shape::Events(Dialect::Typed)))]
    #[case(Endpoint::AudioSpeech, sse(), "audio/mpeg", None)]
    #[case(Endpoint::AudioTranscriptions, plain(), JSON, Some(Shape::Object))]
    #[case(Endpoint::AudioTranscriptions, plain(), "text/plain", None)]
    #[case(Endpoint::AudioTranscriptions, format("verbose_json"), JSON, Some(Shape::Object))]
    #[case(Endpoint::AudioTranscriptions, format("srt"), "text/plain", Some(Shape::Text))]
    #[case(Endpoint::AudioTranscriptions, format("vtt"), "text/html", None)]
    #[case(Endpoint::AudioTranscriptions, format("text"), JSON, None)]
    #[case(Endpoint::AudioTranscriptions, stream(), EVENTS, Some(Shape::Events(Dialect::Typed)))]
    #[case(Endpoint::AudioTranscriptions, stream(), JSON, Some(Shape::Object))]
    #[case(Endpoint::AudioTranslations, format("vtt"), "text/vtt", Some(Shape::Text))]
    #[case(Endpoint::AudioTranslations, stream(), EVENTS, None)]
    fn a_success_has_the_requested_type(
        #[case] endpoint: Endpoint,
        #[case] hints: RequestHints,
        #[case] media_type: &str,
        #[case] shape: Option<Shape>,
    ) {
        assert_eq!(endpoint.shape(&hints, media_type), shape);
    }
}
