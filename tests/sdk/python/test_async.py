"""The asynchronous clients: the most important tests again."""

import asyncio

import pytest
from openai import APIConnectionError, APITimeoutError, AuthenticationError, BadRequestError

from calls import AUDIO, CHAT, RESPONSE
from shapes import FORCED, TOOL, Event, assert_is_weather

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(mocks, surface):
    async with mocks.async_client(surface) as client:
        yield client


async def test_a_plain_call_is_answered(client):
    completion = await client.chat.completions.create(**CHAT)
    assert completion.choices[0].message.content


async def test_concurrent_calls_are_answered(client):
    calls = [client.chat.completions.create(**CHAT) for _ in range(20)]
    assert all(completion.choices for completion in await asyncio.gather(*calls))


async def test_a_structured_output_is_parsed(client):
    completion = await client.chat.completions.parse(**CHAT, response_format=Event)
    assert isinstance(completion.choices[0].message.parsed, Event)
    response = await client.responses.parse(**RESPONSE, text_format=Event)
    assert isinstance(response.output_parsed, Event)


async def test_a_stream_is_read(client):
    stream = await client.chat.completions.create(**CHAT, stream=True)
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert len("".join(pieces)) > 10


async def test_the_helper_accumulates_the_completion(client):
    async with client.chat.completions.stream(**CHAT, tools=[TOOL], tool_choice=FORCED) as stream:
        completion = await stream.get_final_completion()
    [call] = completion.choices[0].message.tool_calls
    assert_is_weather(call.function.arguments)


async def test_the_helper_accumulates_the_response(client):
    async with client.responses.stream(**RESPONSE) as stream:
        numbers = [event.sequence_number async for event in stream]
        response = await stream.get_final_response()
    assert numbers == list(range(len(numbers)))
    assert response.output_text


async def test_embeddings_are_decoded(mocks, client):
    answer = await client.embeddings.create(model="text-embedding-3-small", input="Hello.", dimensions=16)
    assert len(answer.data[0].embedding) == 16
    assert mocks.last().json["encoding_format"] == "base64"


async def test_a_conversation_is_compacted(client):
    compacted = await client.responses.compact(**RESPONSE)
    assert compacted.output[-1].type == "compaction"


async def test_speech_is_generated_and_transcribed(client):
    async with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", input="Hello.", voice="alloy"
    ) as spoken:
        assert b"".join([piece async for piece in spoken.iter_bytes()])
    heard = await client.audio.transcriptions.create(model="whisper-1", file=AUDIO)
    assert heard.text


async def test_an_image_is_generated(client):
    images = await client.images.generate(model="gpt-image-1", prompt="A cat.")
    assert images.data[0].b64_json


async def test_an_unknown_parameter_is_rejected(client):
    with pytest.raises(BadRequestError) as refused:
        await client.responses.create(**RESPONSE, extra_body={"model_group": "main"})
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", "model_group")


async def test_a_wrong_key_is_rejected(client):
    with pytest.raises(AuthenticationError):
        await client.with_options(api_key="sk-fallproof-wrong").chat.completions.create(**CHAT)


async def test_a_rate_limited_call_is_retried_after_a_wait(mocks, client, surface):
    mocks.play(surface, {"reply": "rate_limited", "headers": {"retry-after-ms": "30"}}, "ok")
    completion = await client.with_options(max_retries=1).chat.completions.create(**CHAT)
    assert completion.choices
    assert [request.status for request in mocks.requests()] == [429, 200]


async def test_a_reset_is_a_connection_error(mocks, client, surface):
    mocks.play(surface, "connection_reset")
    with pytest.raises(APIConnectionError):
        await client.chat.completions.create(**CHAT)


async def test_a_stall_is_a_timeout(mocks, client, surface):
    mocks.play(surface, "connection_stalled")
    with pytest.raises(APITimeoutError):
        await client.with_options(timeout=0.25).chat.completions.create(**CHAT)


async def test_a_broken_stream_raises_after_the_received_events(mocks, client, surface):
    mocks.play(surface, {"wire": {"cut": {"at": {"events": 2}, "end": "close"}}})
    chunks = []
    with pytest.raises(APIConnectionError):
        async for chunk in await client.chat.completions.create(**CHAT, stream=True):
            chunks.append(chunk)
    assert len(chunks) == 2
