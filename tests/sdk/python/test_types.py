"""Replies match the SDK's types. The SDK's strict mode checks every member.

The providers themselves violate these types in some replies. The mocks do the same, so this file does
not test these replies:

- Choices of a streamed completion have no finish reason before their end.
- Embeddings in base64 are not lists.
- A compaction repeats the user's messages.
- Azure starts a streamed chat with an empty chunk.
- Azure lists the models of its legacy surface in a different format.
"""

import pytest

from calls import CALLS
from shapes import FORCED, RESPONSES_FORCED, RESPONSES_TOOL, TOOL

ASKED = {
    "chat/completions": [
        {},
        {"n": 2},
        {"tools": [TOOL], "tool_choice": FORCED},
        {"logprobs": True, "top_logprobs": 2},
        {"response_format": {"type": "json_object"}},
        {"model": "gpt-5"},
        {"stream": True, "stream_options": {"include_usage": True}},
        {"stream": True, "tools": [TOOL], "tool_choice": "required"},
    ],
    "completions": [{}, {"logprobs": 2, "n": 2}],
    "embeddings": [{"encoding_format": "float"}],
    "responses": [
        {},
        {"tools": [RESPONSES_TOOL], "tool_choice": RESPONSES_FORCED},
        {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
        {"model": "gpt-5", "reasoning": {"effort": "low", "summary": "auto"}},
        {"stream": True},
        {"stream": True, "tools": [RESPONSES_TOOL], "tool_choice": "required"},
        {"stream": True, "model": "gpt-5", "reasoning": {"effort": "low", "summary": "auto"}},
    ],
    "images/generations": [{}, {"model": "dall-e-3"}],
    "audio/transcriptions": [{}, {"response_format": "verbose_json"}],
    "audio/translations": [{}, {"response_format": "verbose_json"}],
    "moderations": [{}],
}


@pytest.mark.parametrize(
    ("endpoint", "surface", "asked"),
    [
        (endpoint, surface, asked)
        for endpoint in ASKED
        for surface in CALLS[endpoint].surfaces
        for asked in ASKED[endpoint]
        if not (surface != "openai" and endpoint == "chat/completions" and "stream" in asked)
    ],
)
def test_a_reply_has_its_type(strict_client, endpoint, surface, asked):
    answer = CALLS[endpoint](strict_client, **asked)
    if asked.get("stream"):
        assert list(answer)


@pytest.mark.parametrize("surface", ["openai", "azure-v1"])
def test_models_have_their_type(strict_client):
    assert strict_client.models.list().object == "list"
    assert strict_client.models.retrieve("gpt-4.1").object == "model"
