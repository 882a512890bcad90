"""The mocks accept every parameter that the SDK documents, except those listed here."""

import inspect
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

import pytest
from openai import APIStatusError

from calls import CALLS, on_each_surface
from examples import examples, has_objects, listed
from samples import SAMPLES, needs

# Not in Azure's documentation. No rejection has been observed, so the mock accepts it with a
# warning.
LEFT_OUT: dict[tuple[str, str], set[str]] = {
    ("azure-v1", "chat/completions"): {"moderation", "service_tier", "web_search_options"},
    ("azure-v1", "responses"): {
        "access_programs",
        "background_options",
        "context_management",
        "image",
        "moderation",
        "service_tier",
    },
    ("azure-v1", "responses/compact"): {"image"},
    ("azure-legacy", "chat/completions"): {
        "moderation",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "verbosity",
        "web_search_options",
    },
    ("azure-legacy", "responses"): {
        "access_programs",
        "background_options",
        "context_management",
        "image",
        "moderation",
        "service_tier",
    },
    ("azure-legacy", "responses/compact"): {"image"},
    ("azure-legacy", "images/generations"): {
        "complexity",
        "frame_count",
        "frame_duration_ms",
        "moderation",
        "safety_identifier",
        "svg",
    },
    ("azure-legacy", "audio/speech"): {"instructions", "stream_format"},
    ("azure-legacy", "audio/transcriptions"): {
        "chunking_strategy",
        "include",
        "keywords",
        "known_speaker_names",
        "known_speaker_references",
        "languages",
        "stream",
    },
}

# Number of list items per call.
BATCH = 50


def values(endpoint: str, name: str) -> list[Any]:
    """All values to try: samples, values that the type lists, and examples if the type has objects."""
    hint = CALLS[endpoint].parameters()[name]
    found = [*SAMPLES[endpoint][name]]
    if name != "model":
        found += listed(hint)
    if has_objects(hint):
        found += batches(examples(hint))
    if not CALLS[endpoint].is_json:
        found = [value for value in found if value is not None]  # A form has no null.
    return [value for index, value in enumerate(found) if value not in found[:index]]


def batches(found: Iterable[Any]) -> Iterator[Any]:
    """The values. Lists with a single object are combined to longer lists."""
    objects = []
    for value in found:
        match value:
            case [dict() as one]:
                objects.append(one)
            case _:
                yield value
    for start in range(0, len(objects), BATCH):
        yield objects[start : start + BATCH]


def cases() -> list[tuple[str, str, str]]:
    return [
        (endpoint, name, surface) for endpoint, surface in on_each_surface() for name in SAMPLES[endpoint]
    ]


@pytest.mark.parametrize("endpoint", CALLS)
def test_every_documented_parameter_has_samples(clients, endpoint):
    call = CALLS[endpoint]
    method = inspect.signature(attrgetter(call.method)(clients["openai"]))
    documented = {name for name in method.parameters if not name.startswith("extra_") and name != "timeout"}
    assert documented == call.parameters().keys() == SAMPLES[endpoint].keys()
    assert all(values(endpoint, name) for name in documented if name != "previous_response_id")


@pytest.mark.parametrize(("endpoint", "name", "surface"), cases())
def test_a_documented_parameter_is_accepted(mocks, client, endpoint, name, surface):
    tried = values(endpoint, name)
    for value in tried:
        try:
            answer = CALLS[endpoint](client, **{**needs(endpoint, name, value), name: value})
        except APIStatusError:
            continue  # The request log has the reason.
        if hasattr(answer, "close"):
            answer.close()
    requests = mocks.requests()
    assert len(requests) == len(tried)
    sent = f'"{name}"' if CALLS[endpoint].is_json else f'name="{name}'
    assert all(sent in request.body for request in requests)
    assert [
        f"{value!r:.300}: {request.violation}"
        for value, request in zip(tried, requests, strict=True)
        if request.status != 200
    ] == []
    warned = [
        f"{value!r:.300}: {request.violation}" for value, request in zip(tried, requests, strict=True) if request.violation
    ]
    if name in LEFT_OUT.get((surface, endpoint), ()):
        assert len(warned) == len(tried)
    else:
        assert warned == []
