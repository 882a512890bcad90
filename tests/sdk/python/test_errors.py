"""Rejections and failures, as the SDK's exceptions."""

import re
import time

import openai
import pytest
from openai import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    OpenAI,
    RateLimitError,
)

from calls import CALLS, CHAT, on_each_surface


@pytest.mark.parametrize(("endpoint", "surface"), on_each_surface())
def test_a_wrong_key_is_rejected(mocks, client, endpoint, surface):
    with pytest.raises(AuthenticationError) as refused:
        CALLS[endpoint](client.with_options(api_key="sk-fallproof-wrong"))
    assert refused.value.code == ("invalid_api_key" if surface == "openai" else "401")
    assert "sk-fallproof-wrong" not in refused.value.message


@pytest.mark.parametrize(("endpoint", "surface"), on_each_surface())
def test_an_unknown_model_is_not_found(narrow_client, endpoint, surface):
    with pytest.raises(APIStatusError) as refused:
        CALLS[endpoint](narrow_client, model="gpt-4.2")
    error = refused.value
    if endpoint.startswith("responses"):
        assert (type(error), error.param) == (BadRequestError, "model")
        assert "The requested model 'gpt-4.2'" in error.message
    elif surface != "openai":
        assert (type(error), error.code) == (NotFoundError, "DeploymentNotFound")
    else:
        assert (type(error), error.code) == (NotFoundError, "model_not_found")
        assert "`gpt-4.2`" in error.message


def test_the_only_model_answers(narrow_client):
    assert narrow_client.chat.completions.create(**CHAT).model == "gpt-4.1"


def test_an_unknown_path_is_not_found(client):
    with pytest.raises(NotFoundError):
        client.post("/chat/complete", body={"model": "gpt-4.1"}, cast_to=object)


def test_azures_legacy_paths_need_an_api_version(mocks):
    where = mocks.where("azure-legacy")
    base_url = f"{where['azure_endpoint']}/openai/deployments/gpt-4.1"
    with OpenAI(base_url=base_url, api_key="none", default_headers={"api-key": where["api_key"]}) as client:
        with pytest.raises(NotFoundError) as refused:
            client.chat.completions.create(**CHAT)
    assert "Resource not found" in refused.value.message


@pytest.mark.parametrize("surface", ["openai"])
def test_a_number_out_of_range_is_rejected(client):
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(**CHAT, temperature=3)
    assert (refused.value.code, refused.value.param) == ("decimal_above_max_value", "temperature")
    assert "Expected a value <= 2, but got 3 instead." in refused.value.message


def test_a_wrong_type_is_rejected(client):
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(**CHAT, max_completion_tokens="many")
    assert (refused.value.code, refused.value.param) == ("invalid_type", "max_completion_tokens")


def test_a_missing_parameter_is_reported(client):
    with pytest.raises(BadRequestError) as refused:
        client.post("/chat/completions", body={"model": "gpt-4.1"}, cast_to=object)
    assert (refused.value.code, refused.value.param) == ("missing_required_parameter", "messages")


# For each behavior, the SDK's exception, the status, and the code on OpenAI and on Azure.
FAILURES = {
    "server_error": ("InternalServerError", 500, None, None),
    "bad_gateway": ("InternalServerError", 502, None, None),
    "overloaded": ("InternalServerError", 503, None, None),
    "rate_limited": ("RateLimitError", 429, "rate_limit_exceeded", "429"),
    "quota_exceeded": ("RateLimitError", 429, "insufficient_quota", "429"),
    "unauthorized": ("AuthenticationError", 401, "invalid_api_key", "401"),
    "forbidden": ("PermissionDeniedError", 403, None, None),
    "model_not_found": ("NotFoundError", 404, "model_not_found", "DeploymentNotFound"),
    "context_length_exceeded": ("BadRequestError", 400, "context_length_exceeded", "context_length_exceeded"),
    "content_filter": ("BadRequestError", 400, None, "content_filter"),
    "timeout_408": ("APIStatusError", 408, None, None),
    "conflict": ("ConflictError", 409, None, None),
    "unprocessable": ("UnprocessableEntityError", 422, None, None),
}


@pytest.mark.parametrize("behavior", FAILURES)
def test_a_scripted_failure_raises_its_exception(mocks, client, surface, behavior):
    name, status, *codes = FAILURES[behavior]
    code = codes[surface != "openai"]
    mocks.play(surface, behavior)
    with pytest.raises(getattr(openai, name)) as failed:
        client.chat.completions.create(**CHAT)
    assert type(failed.value).__name__ == name
    assert failed.value.status_code == status
    assert code is None or failed.value.code == code


@pytest.mark.parametrize("surface", ["azure-v1", "azure-legacy"])
def test_azure_reports_the_filter_result(mocks, client, surface):
    mocks.play(surface, "content_filter")
    with pytest.raises(BadRequestError) as filtered:
        client.chat.completions.create(**CHAT)
    assert filtered.value.param == "prompt"
    inner = filtered.value.body["innererror"]
    assert inner["code"] == "ResponsibleAIPolicyViolation"
    assert any(verdict["filtered"] for verdict in inner["content_filter_result"].values())


@pytest.mark.parametrize("behavior", ["bad_gateway", "empty_body", "truncated_json", "wrong_content_type"])
def test_a_response_that_is_not_json_is_not_a_completion(mocks, client, surface, behavior):
    mocks.play(surface, behavior)
    try:
        completion = client.chat.completions.create(**CHAT)
    except (APIStatusError, ValueError):
        return
    assert not getattr(completion, "choices", None)


def test_a_success_that_carries_an_error_has_no_choices(mocks, client, surface):
    mocks.play(surface, "ok_with_error")
    completion = client.chat.completions.create(**CHAT)
    assert completion.choices is None
    assert completion.error["message"]


def test_errors_carry_the_request_id(mocks, client, surface):
    mocks.play(surface, "server_error")
    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(**CHAT)
    assert failed.value.request_id == failed.value.response.headers["x-request-id"]
    assert re.fullmatch(r"req_[0-9a-f]{32}|[0-9a-f-]{36}", failed.value.request_id)


def test_a_rate_limited_call_is_retried_after_a_wait(mocks, client, surface):
    mocks.play(surface, {"reply": "rate_limited", "headers": {"retry-after-ms": "30"}}, "ok")
    started = time.monotonic()
    completion = client.with_options(max_retries=1).chat.completions.create(**CHAT)
    assert time.monotonic() - started >= 0.03
    assert completion.choices[0].message.content
    first, second = mocks.requests()
    assert (first.status, second.status) == (429, 200)
    assert first.body == second.body
    assert second.headers["x-stainless-retry-count"] == "1"


def test_the_client_waits_as_long_as_the_mock_says(mocks, client, surface, monkeypatch):
    waits = []
    monkeypatch.setattr("openai._base_client.time.sleep", waits.append)
    mocks.play(surface, {"reply": "rate_limited", "headers": {"retry-after-ms": "61500"}}, "ok")
    client.with_options(max_retries=1).chat.completions.create(**CHAT)
    assert waits == [61.5]


def test_a_rate_limit_has_a_wait_by_default(mocks, client, surface):
    mocks.play(surface, "rate_limited")
    with pytest.raises(RateLimitError) as limited:
        client.chat.completions.create(**CHAT)
    assert float(limited.value.response.headers["retry-after"]) > 0
    assert "retry-after-ms" in limited.value.response.headers


def test_retries_end(mocks, client, surface):
    limited = {"reply": "rate_limited", "headers": {"retry-after-ms": "1"}}
    mocks.play(surface, limited, repeat_last=True)
    with pytest.raises(RateLimitError):
        client.with_options(max_retries=2).chat.completions.create(**CHAT)
    assert [request.status for request in mocks.requests()] == [429, 429, 429]
