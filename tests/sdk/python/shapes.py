"""The tools and output formats that the tests use."""

import json
from typing import Any, Literal

from pydantic import BaseModel

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer"},
    },
    "required": ["city", "unit", "days"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "weather", "strict": True, "parameters": WEATHER}}
FORCED = {"type": "function", "function": {"name": "weather"}}
RESPONSES_TOOL = {"type": "function", "name": "weather", "strict": True, "parameters": WEATHER}
RESPONSES_FORCED = {"type": "function", "name": "weather"}


class Day(BaseModel):
    name: str
    certain: bool


class Event(BaseModel):
    """A structured output with various types."""

    title: str
    kind: Literal["meeting", "party"]
    guests: list[str]
    seats: int
    price: float | None
    day: Day


def assert_is_weather(arguments: str) -> None:
    """Asserts that these are valid arguments of the strict tool."""
    called: dict[str, Any] = json.loads(arguments)
    assert called.keys() == {"city", "unit", "days"}
    assert isinstance(called["city"], str)
    assert called["unit"] in ("celsius", "fahrenheit")
    assert isinstance(called["days"], int)
