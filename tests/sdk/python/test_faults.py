"""Broken connections and broken streams, as errors of the SDK."""

import time

import pytest
from openai import APIConnectionError, APIError, APITimeoutError

from calls import CHAT, COMPLETION, RESPONSE

PATIENCE = 0.25


def cut(end, **at):
    return {"wire": {"cut": {"at": at or "before_head", "end": end}}}


BROKEN = {
    "connection_reset": "connection_reset",
    "connection_closed": "connection_closed",
    "truncated_body": "truncated_body",
    "reset within the body": cut("reset", body_bytes=40),
    "closed within the body": cut("close", body_bytes=40),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_connection_is_a_connection_error(mocks, client, surface, fault):
    mocks.play(surface, BROKEN[fault])
    with pytest.raises(APIConnectionError) as broken:
        client.chat.completions.create(**CHAT)
    assert not isinstance(broken.value, APITimeoutError)


SLOW = {
    "no answer": "connection_stalled",
    "late answer": {"wire": {"delay_ms": 5000}},
    "stall within the body": cut("stall", body_bytes=40),
}


@pytest.mark.parametrize("fault", SLOW)
def test_a_missing_response_is_a_timeout(mocks, client, surface, fault):
    mocks.play(surface, SLOW[fault])
    started = time.monotonic()
    with pytest.raises(APITimeoutError):
        client.with_options(timeout=PATIENCE).chat.completions.create(**CHAT)
    assert time.monotonic() - started >= PATIENCE
    assert_gone(mocks)


def test_a_slow_response_within_the_timeout_is_accepted(mocks, client, surface):
    mocks.play(surface, {"wire": {"delay_ms": 60}})
    started = time.monotonic()
    assert client.chat.completions.create(**CHAT).choices
    assert time.monotonic() - started >= 0.06


def read(stream):
    """Returns the events of a stream, and the error that ended it, if any."""
    events = []
    try:
        for event in stream:
            events.append(event)
    except APIError as error:
        return events, error
    return events, None


def streamed(client, endpoint, **options):
    client = client.with_options(**options)
    if endpoint == "responses":
        return client.responses.create(**RESPONSE, stream=True)
    if endpoint == "completions":
        return client.completions.create(**COMPLETION, stream=True)
    return client.chat.completions.create(**CHAT, stream=True)


streams = pytest.mark.parametrize("endpoint", ["chat/completions", "completions", "responses"])


@streams
@pytest.mark.parametrize("end", ["reset", "close"])
def test_a_broken_stream_raises_after_the_received_events(mocks, client, surface, endpoint, end):
    mocks.play(surface, cut(end, events=2))
    events, error = read(streamed(client, endpoint))
    assert len(events) == 2
    assert type(error) is APIConnectionError


@streams
def test_a_stalled_stream_times_out_after_the_received_events(mocks, client, surface, endpoint):
    mocks.play(surface, cut("stall", events=2))
    events, error = read(streamed(client, endpoint, timeout=PATIENCE))
    assert len(events) == 2
    assert type(error) is APITimeoutError
    assert_gone(mocks)


@streams
def test_a_slow_stream_is_read_to_its_end(mocks, client, surface, endpoint):
    mocks.play(surface, {"wire": {"chunk_delay_ms": 5}})
    started = time.monotonic()
    events, error = read(streamed(client, endpoint))
    assert error is None
    assert time.monotonic() - started >= 0.005 * (len(events) - 1)


@streams
def test_an_error_within_a_stream_raises(mocks, client, surface, endpoint):
    mocks.play(surface, "stream_error")
    events, error = read(streamed(client, endpoint))
    assert events
    assert type(error) is APIError
    assert error.message


def test_a_failed_response_raises_at_its_error_event(mocks, client, surface):
    mocks.play(surface, "response_failed")
    events, error = read(streamed(client, "responses"))
    assert [event.type for event in events] == ["response.created", "response.in_progress"]
    assert type(error) is APIError
    assert error.code == "server_error"


def test_the_helper_raises_when_a_response_fails(mocks, client, surface):
    mocks.play(surface, "response_failed")
    with client.responses.stream(**RESPONSE) as stream, pytest.raises(APIError):
        stream.get_final_response()


def test_a_client_disconnect_during_a_stream_is_recorded(mocks, client, surface):
    mocks.play(surface, {"wire": {"chunk_delay_ms": 20}})
    with client.chat.completions.create(**CHAT, stream=True) as stream:
        next(stream)
    assert_gone(mocks)


def assert_gone(mocks):
    """Waits until the request log has recorded the disconnect."""
    deadline = time.monotonic() + 5
    while not mocks.last().client_gone:
        assert time.monotonic() < deadline, "the client disconnect was not recorded"
