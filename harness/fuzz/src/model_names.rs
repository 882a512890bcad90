//! Model names of the deployments in generated chains.

use fallproof_protocol::provider::Endpoint;

/// Models for an endpoint. Each parameter is accepted by at least one of them. The names are those
/// of real models, because gateways interpret them.
pub fn model_names(endpoint: Endpoint) -> &'static [&'static str] {
    match endpoint {
        Endpoint::ChatCompletions => {
            &["gpt-4o", "gpt-5", "gpt-4.1-mini", "o3-mini", "gpt-4o-search-preview"]
        }
        Endpoint::Completions => &["gpt-3.5-turbo-instruct"],
        Endpoint::Embeddings => &["text-embedding-3-small", "text-embedding-3-large"],
        Endpoint::Responses | Endpoint::ResponsesCompact => &["gpt-5", "gpt-4o", "gpt-4.1"],
        Endpoint::ImagesGenerations => &["gpt-image-1", "dall-e-3", "dall-e-2"],
        Endpoint::AudioSpeech => &["tts-1", "gpt-4o-mini-tts"],
        Endpoint::AudioTranscriptions | Endpoint::AudioTranslations => &["whisper-1"],
        Endpoint::Moderations => &["omni-moderation-latest"],
    }
}
