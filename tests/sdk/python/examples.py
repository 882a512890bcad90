"""Values of the SDK's parameter types.

Together, the examples of a type cover each alternative, each listed value and each member of every
nested object at least once.
"""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

from openai.types.responses import ResponseReasoningItemParam
from typing_extensions import get_type_hints, is_typeddict

# Members that the SDK documents but the provider is known to reject.
REFUSED = {ResponseReasoningItemParam: ["status"]}

SCALARS = {str: "text", int: 1, float: 0.5, bool: True, object: "anything", Any: "anything"}


def bare(hint: Any) -> Any:
    """The type without its annotations."""
    while get_origin(hint) in (Annotated, Required, NotRequired):
        hint = get_args(hint)[0]
    return hint


def alternatives(hint: Any) -> list[Any]:
    """The members of a union, flattened; otherwise the type itself."""
    hint = bare(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return [one for part in get_args(hint) for one in alternatives(part)]
    return [hint]


def listed(hint: Any) -> list[Any]:
    """The values that the type lists, including null if it is allowed."""
    found: list[Any] = []
    for one in alternatives(hint):
        found += get_args(one) if get_origin(one) is Literal else [None] if one is type(None) else []
    return list(dict.fromkeys(found))


def has_objects(hint: Any) -> bool:
    """Whether the type contains objects with named members."""
    return any(is_typeddict(one) or any(map(has_objects, get_args(one))) for one in alternatives(hint))


def examples(hint: Any, inside: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Examples of the type. `inside` holds the enclosing objects, to stop recursion."""
    for one in alternatives(hint):
        kind, arguments = get_origin(one), get_args(one)
        if one is type(None):
            yield None
        elif kind is Literal:
            yield from arguments
        elif one in SCALARS:
            yield SCALARS[one]
        elif is_typeddict(one):
            if one not in inside:
                yield from objects(one, (*inside, one))
        elif kind is dict or one is dict:
            yield from ({"key": value} for value in examples(arguments[1] if arguments else object, inside))
        elif arguments:
            yield from ([item] for item in examples(arguments[0], inside))
        else:
            raise TypeError(f"no example for {one}")


def objects(hint: Any, inside: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """An object with its required members, and one more for each further value of a member."""
    hints = get_type_hints(hint, include_extras=True)
    members = {
        name: list(examples(member, inside))
        for name, member in hints.items()
        if name not in REFUSED.get(hint, ())
    }
    # The class knows only some of its required members, because the SDK's annotations are strings.
    needed = [name for name in hints if name in hint.__required_keys__ or get_origin(hints[name]) is Required]
    if not all(members[name] for name in needed):
        return  # A required member would contain an enclosing object again.
    least = {name: members[name][0] for name in needed}
    yield least
    for name, values in members.items():
        for value in values:
            if least.get(name, members) != value:
                yield {**least, name: value}
