"""``cardrail describe`` and its inverse ``cardrail encode``.

Data goes to stdout, diagnostics to stderr. Exit codes: 0 well, 1 the message breaks the dialect
or does not fit it, 2 the command was used wrongly.
"""

from __future__ import annotations

import json
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NoReturn

import typer

from cardrail.describe_table import print_table
from networks.wire.compose import compose_fields, compose_frame
from networks.wire.describe import Description, describe_frame, describe_message
from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS
from networks.wire.errors import EncodeError, WireError

_LARGEST = 65_536  # bytes of input; a frame has at most 2,052
_BROKEN, _MISUSED = 1, 2
_is_hex = re.compile(r"[0-9A-Fa-f\s]*", re.ASCII).fullmatch
_KEYS = ("keep_alive", "header", "fields", "subfields")


class DialectName(StrEnum):
    """The dialects by the names they have on the command line."""

    VISANET = "visanet"
    QUICPAY = "quicpay"


_DialectOption = Annotated[DialectName, typer.Option("--dialect", help="The network's format.")]


def describe(
    source: Annotated[
        str, typer.Argument(metavar="HEX|-|FILE", help="Hex, - for stdin, or a file of either.")
    ],
    dialect: _DialectOption,
    *,
    message: Annotated[
        bool, typer.Option("--message", help="A message without prefix and header.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what encode reads.")] = False,
    clear: Annotated[
        bool, typer.Option("--clear", help="Show PAN, tracks and other secrets.")
    ] = False,
) -> None:
    """Show a frame field by field, with everything sensitive masked.

    Example: cardrail describe --dialect visanet 00000000
    """
    data = _read(source)
    if clear:
        _say("warning: card data is shown in clear")
    form = describe_message if message else describe_frame
    found = form(DIALECTS[dialect], data, clear=clear)
    if as_json:
        typer.echo(json.dumps(_as_json(found), ensure_ascii=False, indent=1))
    else:
        print_table(found)
    for problem in found.problems:
        _say(str(problem))
    if found.problems:
        raise typer.Exit(_BROKEN)


def encode(
    dialect: _DialectOption,
    *,
    message: Annotated[
        bool, typer.Option("--message", help="Print no prefix and no header.")
    ] = False,
) -> None:
    """Print the frame, in hex, of the JSON on stdin; the inverse of describe --json --clear.

    Example: echo '{"fields": {"t": "0800", "11": "000001", "70": "301"}}' | cardrail encode
    --dialect visanet
    """
    given, form = _parse(_read_some(sys.stdin.buffer)), DIALECTS[dialect]
    try:
        data = b"" if given["keep_alive"] and not message else _compose_message(form, given)
        frame = data if message else compose_frame(form, given["header"], data)
    except WireError as error:
        _say(str(error))
        raise typer.Exit(_BROKEN) from None
    typer.echo(frame.hex().upper())


def _as_json(found: Description) -> dict[str, Any]:
    shown: dict[str, Any] = {"keep_alive": True} if found.is_keep_alive else {}
    shown |= {"header": found.header, "fields": found.fields, "subfields": found.subfields}
    if found.problems:
        shown["problems"] = [
            {"field": problem.field, "offset": problem.offset, "expected": problem.expected}
            for problem in found.problems
        ]
    return shown


def _compose_message(form: Dialect, given: dict[str, Any]) -> bytes:
    if "t" not in given["fields"]:
        raise EncodeError("t", "expected a message type of 4 digits")
    return form.codec.encode(compose_fields(form, given["fields"], given["subfields"]))


def _parse(text: bytes) -> dict[str, Any]:
    """The description on stdin, each of its parts there and of the right kind."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        _misused(f"stdin is not JSON: {error}")
    if not isinstance(given, dict) or not set(given) <= set(_KEYS):
        _misused(f"expected a JSON object with nothing but {', '.join(_KEYS)}")
    if given.get("keep_alive") and (given.get("fields") or given.get("subfields")):
        _misused("keep_alive: a keep-alive has no fields")
    whole = {"keep_alive": False, "header": {}, "fields": {}, "subfields": {}, **given}
    for key in _KEYS[1:]:
        if not isinstance(whole[key], dict):
            _misused(f"{key}: expected a JSON object")
    if not isinstance(whole["keep_alive"], bool):
        _misused("keep_alive: expected true or false")
    return whole


def _read(source: str) -> bytes:
    """The bytes that `source` stands for."""
    if source == "-":
        return _from_content(_read_some(sys.stdin.buffer))
    if _is_hex(source):
        return _from_hex(source)
    try:
        with Path(source).open("rb") as file:
            return _from_content(_read_some(file))
    except (OSError, ValueError):
        # The argument is not repeated: it may be a frame with a typing error in it.
        _misused("expected hex, - or a file that can be read")


def _read_some(file: BinaryIO) -> bytes:
    """The content of `file`, within the limit."""
    content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        _misused(f"expected at most {_LARGEST} bytes")
    return content


def _from_content(content: bytes) -> bytes:
    """`content` itself, unless it is hex text."""
    text = content.decode("latin-1")
    return _from_hex(text) if _is_hex(text) else content


def _from_hex(text: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        _misused("expected two hexadecimal digits for each byte")
    return data or _misused("expected at least one byte")


def _misused(text: str) -> NoReturn:
    _say(text)
    raise typer.Exit(_MISUSED)


def _say(text: str) -> None:
    typer.echo(text, err=True)
