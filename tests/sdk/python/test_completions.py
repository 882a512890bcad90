"""Legacy completions, with and without streaming."""

import pytest

from calls import COMPLETION


def test_a_plain_call_is_answered(client):
    completion = client.completions.create(**COMPLETION)
    [choice] = completion.choices
    assert choice.text
    assert choice.finish_reason == "stop"
    assert completion.object == "text_completion"
    assert completion.id.startswith("cmpl-")
    usage = completion.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0


def test_every_prompt_gets_n_choices(client):
    completion = client.completions.create(model="gpt-3.5-turbo-instruct", prompt=["Hello.", "Bye."], n=2)
    assert [choice.index for choice in completion.choices] == [0, 1, 2, 3]


def test_an_echo_begins_with_the_prompt(client):
    [choice] = client.completions.create(**COMPLETION, echo=True).choices
    assert choice.text.startswith("Hello.")
    assert len(choice.text) > len("Hello.")


def test_logprobs_spell_the_answer(client):
    [choice] = client.completions.create(**COMPLETION, logprobs=1).choices
    assert "".join(choice.logprobs.tokens) == choice.text
    assert len(choice.logprobs.token_logprobs) == len(choice.logprobs.tokens)


@pytest.mark.parametrize("asked", [True, False])
def test_a_completion_is_streamed(client, asked):
    options = {"stream_options": {"include_usage": True}} if asked else {}
    chunks = [chunk for chunk in client.completions.create(**COMPLETION, stream=True, **options) if chunk.id]
    if asked:
        last = chunks.pop()
        assert last.choices == []
        assert last.usage.total_tokens > 0
    assert "".join(chunk.choices[0].text for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)
