"""An unknown parameter is rejected with the provider's message."""

import pytest
from openai import BadRequestError

from calls import CALLS, CHAT, RESPONSE, on_each_surface

INVENTED = {"litellm_metadata": {"model_group": "main"}}
# Legacy endpoints, and speech, name the parameter only in the message.
WITHOUT_CODE = {"completions", "embeddings", "audio/speech"}


@pytest.mark.parametrize(("endpoint", "surface"), on_each_surface(lambda call: call.is_json))
def test_an_unknown_parameter_is_rejected(mocks, client, endpoint, surface):
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


def test_an_older_model_rejects_it_with_the_legacy_message(client):
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(**CHAT, extra_body=INVENTED)
    assert refused.value.body["message"] == "Unrecognized request argument supplied: litellm_metadata"
    assert (refused.value.code, refused.value.param) == (None, None)


@pytest.mark.parametrize("invented", ["metadata", "store", "stream", "tools", "user", "model_group"])
def test_compact_does_not_accept_parameters_of_responses(client, invented):
    with pytest.raises(BadRequestError) as refused:
        client.responses.compact(**RESPONSE, extra_body={invented: {}})
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", invented)


def test_an_unknown_form_field_is_recorded(mocks, client):
    CALLS["audio/transcriptions"](client, extra_body={"model_group": "main"})
    violation = mocks.last().violation
    assert "model_group" in violation["message"]
    assert violation["strength"] == "documented"


@pytest.mark.parametrize("surface", ["openai"])
def test_an_unknown_nested_member_is_reported_with_its_path(client):
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "status": "completed"}
    with pytest.raises(BadRequestError) as refused:
        client.responses.create(model="gpt-5", input=[{"role": "user", "content": "Hello."}, reasoning])
    assert refused.value.body["message"] == "Unknown parameter: 'input[1].status'."
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", "input[1].status")
