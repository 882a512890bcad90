"""Streamed responses: the order of events, and the helper."""

from itertools import groupby

import pytest

from calls import RESPONSE
from shapes import RESPONSES_FORCED, RESPONSES_TOOL, Event, assert_is_weather


TEXT = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]
FUNCTION_CALL = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
    "response.completed",
]


def order(events):
    """The types of the events, without consecutive repetitions."""
    return [kind for kind, _ in groupby(event.type for event in events)]


def test_events_are_ordered_and_numbered(client):
    events = list(client.responses.create(**RESPONSE, stream=True))
    assert order(events) == TEXT
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_the_text_is_the_same_in_all_events(client):
    events = list(client.responses.create(**RESPONSE, stream=True))
    pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
    [done] = [event for event in events if event.type == "response.output_text.done"]
    [item] = [event.item for event in events if event.type == "response.output_item.done"]
    completed = events[-1].response
    assert len(pieces) > 2
    assert "".join(pieces) == done.text == item.content[0].text == completed.output_text
    assert {event.item_id for event in events if hasattr(event, "item_id")} == {item.id}
    assert (events[0].response.id, events[0].response.status) == (completed.id, "in_progress")
    assert events[0].response.output == []
    assert (completed.status, completed.usage.total_tokens > 0) == ("completed", True)


def test_arguments_of_a_function_call_arrive_in_pieces(client):
    events = list(
        client.responses.create(**RESPONSE, stream=True, tools=[RESPONSES_TOOL], tool_choice=RESPONSES_FORCED)
    )
    assert order(events) == FUNCTION_CALL
    pieces = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    [done] = [event for event in events if event.type == "response.function_call_arguments.done"]
    [call] = events[-1].response.output
    assert len(pieces) > 1
    assert "".join(pieces) == done.arguments == call.arguments
    assert_is_weather(call.arguments)


@pytest.mark.parametrize("summary", [None, "auto"], ids=["hidden", "summarized"])
def test_a_reasoning_model_reasons_first(client, summary):
    reasoning = {"effort": "low", **({"summary": summary} if summary else {})}
    events = list(client.responses.create(model="gpt-5", input="Hello.", reasoning=reasoning, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    items = [event.item for event in events if event.type == "response.output_item.done"]
    assert [item.type for item in items] == ["reasoning", "message"]
    assert items[0].id.startswith("rs_")
    assert bool(items[0].summary) == bool(summary)
    assert ("response.reasoning_summary_text.delta" in order(events)) == bool(summary)


def test_the_helper_accumulates_the_response(client):
    with client.responses.stream(**RESPONSE) as stream:
        events = list(stream)
        response = stream.get_final_response()
    assert order(events) == TEXT
    snapshots = [event.snapshot for event in events if event.type == "response.output_text.delta"]
    assert snapshots[-1] == response.output_text
    assert (response.status, response.usage.total_tokens > 0) == ("completed", True)


def test_the_helper_and_a_plain_call_agree(mocks, client):
    plain = client.responses.create(**RESPONSE)
    mocks.reset()
    with client.responses.stream(**RESPONSE) as stream:
        streamed = stream.get_final_response()
    assert streamed.output_text == plain.output_text
    assert streamed.model == plain.model


def test_the_helper_parses_a_structured_output(client):
    with client.responses.stream(**RESPONSE, text_format=Event) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Event)


def test_the_helper_assembles_a_function_call(client):
    with client.responses.stream(**RESPONSE, tools=[RESPONSES_TOOL], tool_choice="required") as stream:
        [call] = stream.get_final_response().output
    assert call.name == "weather"
    assert call.parsed_arguments.keys() == {"city", "unit", "days"}


def test_a_streamed_response_is_continued(client):
    with client.responses.stream(**RESPONSE) as stream:
        first = stream.get_final_response()
    second = client.responses.create(**RESPONSE, previous_response_id=first.id)
    assert second.previous_response_id == first.id
