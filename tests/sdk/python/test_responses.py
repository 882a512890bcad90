"""Responses: complete, parsed, continued and compacted."""

import json

import pytest
from openai import BadRequestError, NotFoundError

from calls import RESPONSE
from shapes import RESPONSES_FORCED, RESPONSES_TOOL, WEATHER, Event, assert_is_weather


def test_a_plain_call_is_answered(client):
    response = client.responses.create(**RESPONSE)
    [message] = response.output
    assert response.output_text
    assert (response.object, response.status) == ("response", "completed")
    assert response.id.startswith("resp_")
    assert (message.type, message.role, message.status) == ("message", "assistant", "completed")
    assert message.id.startswith("msg_")
    assert response.error is None
    usage = response.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 0


def test_settings_are_echoed(client):
    response = client.responses.create(
        **RESPONSE, instructions="Be brief.", metadata={"case": "7"}, max_output_tokens=99, temperature=0.5
    )
    assert response.instructions == "Be brief."
    assert response.metadata == {"case": "7"}
    assert response.max_output_tokens == 99
    assert response.temperature == 0.5


def test_a_structured_output_is_parsed(client):
    response = client.responses.parse(**RESPONSE, text_format=Event)
    assert isinstance(response.output_parsed, Event)


def test_json_mode_returns_an_object(client):
    response = client.responses.create(
        model="gpt-4.1", input="Hello, as JSON.", text={"format": {"type": "json_object"}}
    )
    assert isinstance(json.loads(response.output_text), dict)


@pytest.mark.parametrize("choice", [RESPONSES_FORCED, "required"], ids=["named", "required"])
def test_a_forced_tool_is_called(client, choice):
    response = client.responses.create(**RESPONSE, tools=[RESPONSES_TOOL], tool_choice=choice)
    [call] = response.output
    assert (call.type, call.name, call.status) == ("function_call", "weather", "completed")
    assert call.call_id.startswith("call_")
    assert call.id.startswith("fc_")
    assert_is_weather(call.arguments)


def test_a_forced_custom_tool_is_called_with_text(client):
    response = client.responses.create(
        **RESPONSE, tools=[{"type": "custom", "name": "note"}], tool_choice={"type": "custom", "name": "note"}
    )
    [call] = response.output
    assert (call.type, call.name) == ("custom_tool_call", "note")
    assert call.input


def test_logprobs_are_included_if_requested(client):
    response = client.responses.create(**RESPONSE, include=["message.output_text.logprobs"], top_logprobs=2)
    [text] = response.output[0].content
    assert "".join(token.token for token in text.logprobs) == response.output_text
    assert all(len(token.top_logprobs) == 2 for token in text.logprobs)


def test_the_raw_response_has_a_request_id(client):
    raw = client.responses.with_raw_response.create(**RESPONSE)
    assert raw.headers["x-request-id"] == raw.parse()._request_id


def test_a_response_is_continued(client):
    first = client.responses.create(**RESPONSE)
    second = client.responses.create(**RESPONSE, previous_response_id=first.id)
    third = client.responses.create(**RESPONSE, previous_response_id=second.id)
    assert len({first.id, second.id, third.id}) == 3
    assert (second.previous_response_id, third.previous_response_id) == (first.id, second.id)


def test_an_unknown_previous_response_is_rejected(client):
    with pytest.raises(BadRequestError) as refused:
        client.responses.create(**RESPONSE, previous_response_id="resp_68af4030592c81938ec0a5fbab4a3e9f")
    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"
    assert "resp_68af4030592c81938ec0a5fbab4a3e9f" in refused.value.message


def test_an_unknown_previous_response_is_not_compacted(client):
    with pytest.raises(BadRequestError) as refused:
        client.responses.compact(
            model="gpt-4.1", previous_response_id="resp_68af4030592c81938ec0a5fbab4a3e9f"
        )
    assert refused.value.code == "previous_response_not_found"


def test_a_response_is_known_only_to_its_provider(mocks, clients):
    ours = clients["openai"].responses.create(**RESPONSE).id
    theirs = clients["azure-v1"].responses.create(**RESPONSE).id
    for surface, foreign in (("openai", theirs), ("azure-v1", ours), ("azure-legacy", ours)):
        with pytest.raises(BadRequestError) as refused:
            clients[surface].responses.create(**RESPONSE, previous_response_id=foreign)
        assert refused.value.code == "previous_response_not_found"


def test_both_surfaces_of_azure_know_the_same_responses(mocks, clients):
    first = clients["azure-legacy"].responses.create(**RESPONSE)
    second = clients["azure-v1"].responses.create(**RESPONSE, previous_response_id=first.id)
    assert second.previous_response_id == first.id


def test_a_response_that_is_not_stored_is_unknown(client):
    first = client.responses.create(**RESPONSE, store=False)
    with pytest.raises((BadRequestError, NotFoundError)) as refused:
        client.responses.create(**RESPONSE, previous_response_id=first.id)
    assert refused.value.code == "previous_response_not_found"


def test_a_conversation_is_compacted_and_continued(client):
    compacted = client.responses.compact(**RESPONSE, instructions="Be brief.")
    [compaction] = [item for item in compacted.output if item.type == "compaction"]
    assert compacted.object == "response.compaction"
    assert compaction.encrypted_content
    assert compacted.usage.total_tokens == compacted.usage.input_tokens + compacted.usage.output_tokens > 0
    items = [item.to_dict(warnings=False) for item in compacted.output]
    response = client.responses.create(model="gpt-4.1", input=[*items, {"role": "user", "content": "Go on."}])
    assert response.output_text


def test_a_stored_response_is_compacted(client):
    first = client.responses.create(**RESPONSE)
    assert client.responses.compact(model="gpt-4.1", previous_response_id=first.id).output


def test_a_tool_result_is_accepted(client):
    asked = [{"role": "user", "content": "Hello."}]
    first = client.responses.create(
        model="gpt-4.1", input=asked, tools=[RESPONSES_TOOL], tool_choice="required"
    )
    [call] = first.output
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny."}
    second = client.responses.create(
        model="gpt-4.1",
        input=[*asked, call.to_dict(), result],
        tools=[{**RESPONSES_TOOL, "parameters": WEATHER}],
    )
    assert second.output_text
