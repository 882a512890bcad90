"""Chat completions without streaming."""

import json

import pytest

from calls import CHAT
from shapes import FORCED, TOOL, WEATHER, Event, assert_is_weather


def test_a_plain_call_is_answered(client):
    completion = client.chat.completions.create(**CHAT)
    [choice] = completion.choices
    assert choice.message.role == "assistant"
    assert choice.message.content
    assert choice.message.tool_calls is None
    assert choice.finish_reason == "stop"
    assert completion.id.startswith("chatcmpl-")
    assert completion.object == "chat.completion"
    assert completion.model == "gpt-4.1"


def test_the_usage_adds_up(client):
    usage = client.chat.completions.create(**CHAT).usage
    assert usage.prompt_tokens > 0
    assert usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_truncated_answer_has_finish_reason_length(client):
    completion = client.chat.completions.create(**CHAT, max_tokens=1)
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage.completion_tokens == 1


def test_n_choices_are_returned(client):
    choices = client.chat.completions.create(**CHAT, n=2).choices
    assert [choice.index for choice in choices] == [0, 1]
    assert all(choice.message.content for choice in choices)


@pytest.mark.parametrize("choice", [FORCED, "required"], ids=["named", "required"])
def test_a_forced_tool_is_called(client, choice):
    completion = client.chat.completions.create(**CHAT, tools=[TOOL], tool_choice=choice)
    [answer] = completion.choices
    [call] = answer.message.tool_calls
    assert answer.message.content is None
    assert call.type == "function"
    assert call.id.startswith("call_")
    assert call.function.name == "weather"
    assert_is_weather(call.function.arguments)
    # A named tool ends with `stop`, a required one with `tool_calls`.
    assert answer.finish_reason == ("stop" if choice is FORCED else "tool_calls")


def test_an_optional_tool_may_stay_unused(client):
    [choice] = client.chat.completions.create(**CHAT, tools=[TOOL], tool_choice="none").choices
    assert choice.message.content
    assert choice.message.tool_calls is None


def test_legacy_functions_are_called(client):
    [choice] = client.chat.completions.create(
        **CHAT, functions=[{"name": "weather", "parameters": WEATHER}], function_call={"name": "weather"}
    ).choices
    assert choice.message.function_call.name == "weather"
    assert isinstance(json.loads(choice.message.function_call.arguments), dict)


def test_json_mode_returns_an_object(client):
    completion = client.chat.completions.create(
        model="gpt-4.1",
        messages=[{"role": "user", "content": "Hello, as JSON."}],
        response_format={"type": "json_object"},
    )
    assert isinstance(json.loads(completion.choices[0].message.content), dict)


def test_a_structured_output_is_parsed(client):
    completion = client.chat.completions.parse(**CHAT, response_format=Event)
    [choice] = completion.choices
    assert isinstance(choice.message.parsed, Event)
    assert choice.message.parsed.kind in ("meeting", "party")


def test_parsed_tool_arguments_match_the_schema(client):
    completion = client.chat.completions.parse(**CHAT, tools=[TOOL], tool_choice=FORCED)
    [call] = completion.choices[0].message.tool_calls
    assert call.function.parsed_arguments.keys() == {"city", "unit", "days"}


def test_logprobs_spell_the_answer(client):
    [choice] = client.chat.completions.create(**CHAT, logprobs=True, top_logprobs=2).choices
    tokens = choice.logprobs.content
    assert "".join(token.token for token in tokens) == choice.message.content
    assert all(token.logprob <= 0 and len(token.top_logprobs) == 2 for token in tokens)
    assert b"".join(bytes(token.bytes) for token in tokens).decode() == choice.message.content


def test_the_raw_response_has_headers_and_the_same_completion(mocks, client):
    raw = client.chat.completions.with_raw_response.create(**CHAT)
    completion = raw.parse()
    assert raw.status_code == 200
    assert raw.headers["content-type"].startswith("application/json")
    assert raw.headers["x-request-id"] == raw.request_id == completion._request_id
    assert completion.choices[0].message.content
    assert mocks.last().json == CHAT


@pytest.mark.parametrize("surface", ["azure-v1", "azure-legacy"])
def test_azure_annotates_content_filters(client):
    completion = client.chat.completions.create(**CHAT)
    [prompt] = completion.prompt_filter_results
    assert prompt["prompt_index"] == 0
    assert prompt["content_filter_results"]["hate"] == {"filtered": False, "severity": "safe"}
    assert completion.choices[0].content_filter_results["violence"]["filtered"] is False
