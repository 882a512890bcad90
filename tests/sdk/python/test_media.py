"""Images, speech, transcriptions and translations."""

import base64

import pytest

from calls import AUDIO

SAY = {"model": "gpt-4o-mini-tts", "input": "Hello.", "voice": "alloy"}
# Possible first bytes of each format: a tag, if the format has tags, or the first frame.
BEGINS = {
    "mp3": (b"ID3", b"\xff\xf3", b"\xff\xfb"),
    "wav": b"RIFF",
    "flac": b"fLaC",
    "opus": b"OggS",
    "aac": (b"ID3", b"\xff\xf1"),
}


def test_an_image_is_returned_as_base64(client):
    images = client.images.generate(model="gpt-image-1", prompt="A cat.")
    [image] = images.data
    assert base64.b64decode(image.b64_json, validate=True).startswith(b"\x89PNG")
    assert image.url is None
    assert images.created > 0
    assert images.usage.total_tokens == images.usage.input_tokens + images.usage.output_tokens > 0


@pytest.mark.parametrize("model", ["dall-e-2", "dall-e-3"])
def test_an_older_model_returns_a_url_by_default(client, model):
    [linked] = client.images.generate(model=model, prompt="A cat.").data
    [encoded] = client.images.generate(model=model, prompt="A cat.", response_format="b64_json").data
    assert linked.url.startswith("https://")
    assert linked.b64_json is None
    assert base64.b64decode(encoded.b64_json, validate=True)


def test_n_images_are_generated(client):
    assert len(client.images.generate(model="gpt-image-1", prompt="A cat.", n=3).data) == 3


def test_partial_images_are_streamed(client):
    *partial, completed = client.images.generate(
        model="gpt-image-1", prompt="A cat.", stream=True, partial_images=2
    )
    assert [event.type for event in partial] == ["image_generation.partial_image"] * 2
    assert [event.partial_image_index for event in partial] == [0, 1]
    assert completed.type == "image_generation.completed"
    assert base64.b64decode(completed.b64_json, validate=True)
    assert completed.usage.total_tokens > 0


def test_speech_is_audio(client, tmp_path):
    spoken = client.audio.speech.create(**SAY)
    assert spoken.response.headers["content-type"] == "audio/mpeg"
    assert spoken.content.startswith(BEGINS["mp3"])
    spoken.write_to_file(tmp_path / "speech.mp3")
    assert (tmp_path / "speech.mp3").read_bytes() == spoken.content


@pytest.mark.parametrize("kind", ["mp3", "wav", "flac", "opus", "aac", "pcm"])
def test_speech_has_the_requested_format(client, kind):
    spoken = client.audio.speech.create(**SAY, response_format=kind)
    assert spoken.content.startswith(BEGINS.get(kind, b""))
    assert len(spoken.content) > 0
    assert spoken.response.headers["content-type"].startswith("audio/")


def test_speech_is_streamed(client, tmp_path):
    with client.audio.speech.with_streaming_response.create(**SAY) as spoken:
        assert spoken.headers["content-type"] == "audio/mpeg"
        pieces = list(spoken.iter_bytes())
    assert b"".join(pieces).startswith(BEGINS["mp3"])
    with client.audio.speech.with_streaming_response.create(**SAY) as spoken:
        spoken.stream_to_file(tmp_path / "speech.mp3")
    assert (tmp_path / "speech.mp3").stat().st_size > 0


HEAR = {"model": "whisper-1", "file": AUDIO}


@pytest.fixture(params=["transcriptions", "translations"])
def hearing(request, client):
    return getattr(client.audio, request.param)


def test_audio_is_transcribed(hearing):
    heard = hearing.create(**HEAR)
    assert heard.text


@pytest.mark.parametrize("kind", ["text", "srt", "vtt"])
def test_audio_is_transcribed_as_text(hearing, kind):
    heard = hearing.create(**HEAR, response_format=kind)
    assert isinstance(heard, str)
    assert heard.startswith(
        {"srt": "1\n00:00:00,000 --> ", "vtt": "WEBVTT\n\n00:00:00.000 --> "}.get(kind, "")
    )
    assert heard.endswith("\n")


def test_audio_is_transcribed_as_verbose_json(hearing):
    heard = hearing.create(**HEAR, response_format="verbose_json")
    assert heard.text
    assert heard.language
    assert heard.duration >= 0
    assert "".join(segment.text for segment in heard.segments).strip() == heard.text


def test_a_transcription_is_streamed(client):
    *pieces, done = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=AUDIO, stream=True)
    assert {piece.type for piece in pieces} == {"transcript.text.delta"}
    assert done.type == "transcript.text.done"
    assert "".join(piece.delta for piece in pieces) == done.text


def test_words_have_timestamps_if_requested(client):
    heard = client.audio.transcriptions.create(
        **HEAR, response_format="verbose_json", timestamp_granularities=["word"]
    )
    assert [word.word.strip(",.!") for word in heard.words] == [
        word.strip(",.!") for word in heard.text.split()
    ]
    assert all(word.start <= word.end for word in heard.words)


@pytest.mark.parametrize("kind", ["path", "bytes", "open file", "odd name"])
def test_a_file_can_be_uploaded_in_every_form(client, tmp_path, kind):
    path = tmp_path / "silence.wav"
    path.write_bytes(AUDIO[1])
    with path.open("rb") as opened:
        file = {
            "path": path,
            "bytes": AUDIO[1],
            "open file": opened,
            "odd name": ('Stille "ä".wav', AUDIO[1]),
        }[kind]
        assert client.audio.transcriptions.create(model="whisper-1", file=file).text
