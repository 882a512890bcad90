//! The files in `spec/`, embedded in the binary.

use std::sync::LazyLock;

use fallproof_protocol::provider::{Endpoint, Surface};

use super::Schema;

/// A request schema, both as text and in parsed form.
pub(crate) struct Embedded {
    pub(crate) text: &'static str,
    pub(super) schema: LazyLock<Schema>,
}

impl Embedded {
    /// The schema for this endpoint on this surface.
    pub(crate) fn of(surface: Surface, endpoint: Endpoint) -> &'static Self {
        macro_rules! embedded {
            ($surface:literal) => {
                match endpoint {
                    Endpoint::ChatCompletions => embedded!($surface, "chat.completions"),
                    Endpoint::Completions => embedded!($surface, "completions"),
                    Endpoint::Embeddings => embedded!($surface, "embeddings"),
                    Endpoint::Responses => embedded!($surface, "responses"),
                    Endpoint::ResponsesCompact => embedded!($surface, "responses.compact"),
                    Endpoint::ImagesGenerations => embedded!($surface, "images.generations"),
                    Endpoint::AudioSpeech => embedded!($surface, "audio.speech"),
                    Endpoint::AudioTranscriptions => embedded!($surface, "audio.transcriptions"),
                    Endpoint::AudioTranslations => embedded!($surface, "audio.translations"),
                    // Azure has no moderations, so it refuses such a request before it checks the
                    // body.
                    Endpoint::Moderations => embedded!("openai", "moderations"),
                }
            };
            ($surface:literal, $endpoint:literal) => {{
                const TEXT: &str =
                    include_str!(concat!("../../spec/", $surface, "/", $endpoint, ".json"));
                static EMBEDDED: Embedded = Embedded {
                    text: TEXT,
                    schema: LazyLock::new(|| {
                        Schema::read(TEXT).expect("a test checks that every file in spec/ is valid")
                    }),
                };
                &EMBEDDED
            }};
        }
        match surface {
            Surface::OpenAi => embedded!("openai"),
            Surface::AzureV1 => embedded!("azure-v1"),
            Surface::AzureLegacy => embedded!("azure-legacy"),
        }
    }
}
