"""The endpoints of the mocks, each with a minimal SDK call."""

import io
import wave
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Union, get_args, get_origin

from openai import OpenAI, types
from openai.types import audio, chat, responses
from typing_extensions import get_type_hints

from serve import SURFACES


def silence() -> bytes:
    """Returns 0.1 s of silence as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    return file.getvalue()


AUDIO = ("silence.wav", silence(), "audio/wav")
CHAT = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello."}]}
COMPLETION = {"model": "gpt-3.5-turbo-instruct", "prompt": "Hello."}
EMBEDDING = {"model": "text-embedding-3-small", "input": "Hello."}
RESPONSE = {"model": "gpt-4.1", "input": "Hello."}


@dataclass(frozen=True)
class Call:
    """An endpoint, its SDK method, and the minimal arguments."""

    method: str
    params: Any
    least: dict[str, Any]
    surfaces: tuple[str, ...] = SURFACES
    is_json: bool = True

    def __call__(self, client: OpenAI, **more: Any) -> Any:
        return attrgetter(self.method)(client)(**{**self.least, **more})

    def parameters(self) -> dict[str, Any]:
        """The type of each parameter that the SDK documents."""
        forms = get_args(self.params) if get_origin(self.params) is Union else [self.params]
        hints: dict[str, list[Any]] = {}
        for form in forms:
            for name, hint in get_type_hints(form, include_extras=True).items():
                hints.setdefault(name, []).append(hint)
        return {name: Union[tuple(types)] for name, types in hints.items()}


CALLS = {
    "chat/completions": Call(
        "chat.completions.create",
        chat.completion_create_params.CompletionCreateParams,
        CHAT,
    ),
    "completions": Call(
        "completions.create",
        types.completion_create_params.CompletionCreateParams,
        COMPLETION,
    ),
    "embeddings": Call(
        "embeddings.create",
        types.EmbeddingCreateParams,
        EMBEDDING,
    ),
    "responses": Call(
        "responses.create",
        responses.response_create_params.ResponseCreateParams,
        RESPONSE,
    ),
    "responses/compact": Call(
        "responses.compact",
        responses.ResponseCompactParams,
        RESPONSE,
    ),
    "images/generations": Call(
        "images.generate",
        types.image_generate_params.ImageGenerateParams,
        {"model": "gpt-image-1", "prompt": "A cat."},
    ),
    "audio/speech": Call(
        "audio.speech.create",
        audio.SpeechCreateParams,
        {"model": "gpt-4o-mini-tts", "input": "Hello.", "voice": "alloy"},
    ),
    "audio/transcriptions": Call(
        "audio.transcriptions.create",
        audio.transcription_create_params.TranscriptionCreateParams,
        {"model": "whisper-1", "file": AUDIO},
        is_json=False,
    ),
    "audio/translations": Call(
        "audio.translations.create",
        audio.TranslationCreateParams,
        {"model": "whisper-1", "file": AUDIO},
        is_json=False,
    ),
    "moderations": Call(
        "moderations.create",
        types.ModerationCreateParams,
        {"model": "omni-moderation-latest", "input": "Hello."},
        surfaces=("openai",),
    ),
}


def on_each_surface(wanted=lambda call: True) -> list[tuple[str, str]]:
    """Returns every existing pair of endpoint and surface, as pytest parameters."""
    return [(name, surface) for name, call in CALLS.items() if wanted(call) for surface in call.surfaces]
