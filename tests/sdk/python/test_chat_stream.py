"""Streamed chat completions: the raw iterator and the helper."""

import pytest
from openai.types.chat import ChatCompletion

from calls import CHAT
from shapes import FORCED, TOOL, Event, assert_is_weather


def chunks_of(client, **more):
    """All chunks except the first one of Azure, which has no choices."""
    chunks = list(client.chat.completions.create(**CHAT, stream=True, **more))
    return [chunk for chunk in chunks if chunk.id]


def test_chunks_are_ordered_and_share_an_id(client):
    chunks = chunks_of(client)
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert deltas[0].role == "assistant"
    assert [delta.role for delta in deltas[1:]] == [None] * (len(deltas) - 1)
    assert len("".join(delta.content or "" for delta in deltas)) > 10
    assert sum(bool(delta.content) for delta in deltas) > 2
    assert deltas[-1].content is None
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    assert all(chunk.object == "chat.completion.chunk" and chunk.usage is None for chunk in chunks)


def test_usage_comes_last_if_requested(client):
    *chunks, last = chunks_of(client, stream_options={"include_usage": True})
    assert last.choices == []
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks)


def test_n_choices_are_streamed_interleaved(client):
    chunks = chunks_of(client, n=2)
    for index in (0, 1):
        mine = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
        assert "".join(choice.delta.content or "" for choice in mine)
        assert mine[-1].finish_reason == "stop"


def test_a_tool_call_arrives_in_pieces(client):
    chunks = chunks_of(client, tools=[TOOL], tool_choice=FORCED)
    [first, *rest] = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert first.id.startswith("call_")
    assert (first.index, first.type, first.function.name) == (0, "function", "weather")
    assert first.function.arguments == ""
    assert len(rest) > 1
    assert all((piece.index, piece.id, piece.function.name) == (0, None, None) for piece in rest)
    assert_is_weather("".join(piece.function.arguments for piece in rest))


@pytest.mark.parametrize("surface", ["azure-v1", "azure-legacy"])
def test_azure_sends_prompt_filter_results_first(client):
    first, second, *_ = client.chat.completions.create(**CHAT, stream=True)
    assert (first.id, first.model, first.object, first.created, first.choices) == ("", "", "", 0, [])
    assert first.prompt_filter_results[0]["prompt_index"] == 0
    assert second.choices[0].delta.role == "assistant"


def test_the_helper_accumulates_the_completion(client):
    with client.chat.completions.stream(**CHAT, stream_options={"include_usage": True}) as stream:
        events = list(stream)
        completion = stream.get_final_completion()
    pieces = [event.delta for event in events if event.type == "content.delta"]
    [done] = [event for event in events if event.type == "content.done"]
    [choice] = completion.choices
    assert len(pieces) > 2
    assert "".join(pieces) == done.content == choice.message.content
    assert choice.finish_reason == "stop"
    assert completion.usage.total_tokens > 0


def test_the_helper_and_a_plain_call_agree(mocks, client):
    plain: ChatCompletion = client.chat.completions.create(**CHAT)
    mocks.reset()
    with client.chat.completions.stream(**CHAT) as stream:
        streamed = stream.get_final_completion()
    assert streamed.choices[0].message.content == plain.choices[0].message.content
    assert streamed.model == plain.model


def test_the_helper_parses_a_structured_output(client):
    with client.chat.completions.stream(**CHAT, response_format=Event) as stream:
        completion = stream.get_final_completion()
    assert isinstance(completion.choices[0].message.parsed, Event)


def test_the_helper_assembles_a_tool_call(client):
    with client.chat.completions.stream(**CHAT, tools=[TOOL], tool_choice="required") as stream:
        events = list(stream)
        completion = stream.get_final_completion()
    [done] = [event for event in events if event.type == "tool_calls.function.arguments.done"]
    [call] = completion.choices[0].message.tool_calls
    assert (done.name, done.arguments) == (call.function.name, call.function.arguments)
    assert call.function.name == "weather"
    assert_is_weather(call.function.arguments)
    assert completion.choices[0].finish_reason == "tool_calls"


def test_the_helper_emits_logprobs(client):
    with client.chat.completions.stream(**CHAT, logprobs=True) as stream:
        completion = stream.get_final_completion()
    [choice] = completion.choices
    assert "".join(token.token for token in choice.logprobs.content) == choice.message.content
