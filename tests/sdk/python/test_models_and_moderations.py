"""Model lists, and moderations, which only OpenAI has."""

import pytest
from openai import NotFoundError


def test_the_models_are_listed(narrow_client):
    assert [model.id for model in narrow_client.models.list()] == ["gpt-4.1"]


def test_a_model_is_retrieved(narrow_client):
    model = narrow_client.models.retrieve("gpt-4.1")
    assert (model.id, model.object) == ("gpt-4.1", "model")


def test_an_unknown_model_is_not_retrieved(narrow_client):
    with pytest.raises(NotFoundError):
        narrow_client.models.retrieve("gpt-4.2")


@pytest.mark.parametrize("surface", ["openai"])
def test_a_text_is_moderated(client):
    moderation = client.moderations.create(model="omni-moderation-latest", input="Hello.")
    [result] = moderation.results
    assert moderation.id.startswith("modr-")
    assert result.flagged is False
    flags, scores = result.categories.to_dict(), result.category_scores.to_dict()
    assert flags.keys() == scores.keys()
    assert not any(flags.values())
    assert all(0 <= score <= 1 for score in scores.values())


@pytest.mark.parametrize("surface", ["openai"])
def test_each_text_has_a_result(client):
    assert len(client.moderations.create(input=["Hello.", "Bye."]).results) == 2


@pytest.mark.parametrize("surface", ["azure-v1", "azure-legacy"])
def test_azure_has_no_moderations(client):
    with pytest.raises(NotFoundError):
        client.moderations.create(input="Hello.")
