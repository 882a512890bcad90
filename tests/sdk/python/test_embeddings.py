"""Embeddings in both encodings."""

import base64
import struct

import pytest

from calls import EMBEDDING


def test_the_sdk_requests_base64_and_decodes_it(mocks, client):
    [embedding] = client.embeddings.create(**EMBEDDING).data
    assert mocks.last().json["encoding_format"] == "base64"
    assert len(embedding.embedding) == 1536
    assert all(isinstance(number, float) for number in embedding.embedding)


def test_both_encodings_are_the_same_numbers(mocks, client):
    [decoded] = client.embeddings.create(**EMBEDDING).data
    mocks.reset()
    [floats] = client.embeddings.create(**EMBEDDING, encoding_format="float").data
    mocks.reset()
    [encoded] = client.embeddings.create(**EMBEDDING, encoding_format="base64").data
    assert floats.embedding == decoded.embedding
    assert list(struct.unpack("<1536f", base64.b64decode(encoded.embedding))) == floats.embedding


@pytest.mark.parametrize(
    ("model", "asked", "given"),
    [
        ("text-embedding-3-small", {"dimensions": 256}, 256),
        ("text-embedding-3-large", {}, 3072),
        ("text-embedding-ada-002", {}, 1536),
    ],
)
def test_a_vector_has_the_requested_dimensions(client, model, asked, given):
    [embedding] = client.embeddings.create(model=model, input="Hello.", **asked).data
    assert len(embedding.embedding) == given


@pytest.mark.parametrize("several", [["Hello.", "Bye."], [[15339, 13], [1000]]], ids=["texts", "tokens"])
def test_each_input_gets_its_vector(client, several):
    answer = client.embeddings.create(model="text-embedding-3-small", input=several)
    assert [one.index for one in answer.data] == [0, 1]
    assert answer.object == "list"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens > 0


def test_tokens_are_one_input(client):
    [embedding] = client.embeddings.create(model="text-embedding-3-small", input=[15339, 13]).data
    assert embedding.object == "embedding"
