"""Turning generated source text into a function, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def make_function(
    name: str, arguments: str, body: Sequence[str], scope: Mapping[str, object]
) -> Callable[..., Any]:
    """The function ``def name(arguments)`` whose lines are `body`, seeing the names in `scope`.

    The text comes from this package's tables and never from the wire.
    """
    text = "\n    ".join([f"def {name}({arguments}):", *body])
    namespace: dict[str, Any] = dict(scope)
    exec(compile(text, f"<generated {name}>", "exec"), namespace)  # noqa: S102 - see above
    made: Callable[..., Any] = namespace[name]
    return made
