"""The founding rule: a parameter that the provider does not know is refused, in its words."""

import pytest
from openai import BadRequestError

from calls import CALLS, CHAT, RESPONSE, on_each_surface

INVENTED = {"litellm_metadata": {"model_group": "main"}}
# Older back ends name the parameter in the message alone, and so does speech, in words of its own.
WITHOUT_CODE = {"completions", "embeddings", "audio/speech"}


@pytest.mark.parametrize(("endpoint", "surface"), on_each_surface(lambda call: call.is_json))
def test_an_unknown_parameter_is_refused(mocks, client, endpoint, surface):
    model = {"model": "gpt-5"} if endpoint == "chat/completions" else {}
    with pytest.raises(BadRequestError) as refused:
        CALLS[endpoint](client, **model, extra_body=INVENTED)
    error, request = refused.value, mocks.last()
    assert error.type == "invalid_request_error"
    assert (request.refused, request.violation["strength"]) == (True, "observed")
    if endpoint in WITHOUT_CODE:
        assert "litellm_metadata" in error.message
        assert (error.code, error.param) == (None, None)
    else:
        assert error.body["message"] == "Unknown parameter: 'litellm_metadata'."
        assert (error.code, error.param) == ("unknown_parameter", "litellm_metadata")


def test_an_older_model_refuses_it_in_older_words(client):
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(**CHAT, extra_body=INVENTED)
    assert refused.value.body["message"] == "Unrecognized request argument supplied: litellm_metadata"
    assert (refused.value.code, refused.value.param) == (None, None)


@pytest.mark.parametrize("invented", ["metadata", "store", "stream", "tools", "user", "model_group"])
def test_what_responses_take_is_still_unknown_to_compact(client, invented):
    with pytest.raises(BadRequestError) as refused:
        client.responses.compact(**RESPONSE, extra_body={invented: {}})
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", invented)


def test_an_unknown_field_of_a_form_is_noticed(mocks, client):
    CALLS["audio/transcriptions"](client, extra_body={"model_group": "main"})
    violation = mocks.last().violation
    assert "model_group" in violation["message"]
    assert violation["strength"] == "documented"


@pytest.mark.parametrize("surface", ["openai"])
def test_an_unknown_member_deep_inside_is_told_with_its_path(client):
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "status": "completed"}
    with pytest.raises(BadRequestError) as refused:
        client.responses.create(model="gpt-5", input=[{"role": "user", "content": "Hello."}, reasoning])
    assert refused.value.body["message"] == "Unknown parameter: 'input[1].status'."
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", "input[1].status")
