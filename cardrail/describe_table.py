"""A description as a table for the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from networks.wire.describe import Description, Row

_WIDTH_IN_A_FILE = 160


def print_table(found: Description) -> None:
    """Print `found` to stdout, in the terminal's width."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH_IN_A_FILE
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("byte", justify="right", no_wrap=True)
    table.add_column("field", no_wrap=True)
    for name in ("name", "raw", "value", "meaning"):
        table.add_column(name, overflow="fold")
    for row in found.rows:
        _add(table, row, 0)
    console.print(table)


def _add(table: Table, row: Row, depth: int) -> None:
    # The parts repeat what a composite element holds, so that it stands there only as raw bytes.
    value = "" if row.parts else row.value
    cells = ("  " * depth + row.field, row.name, row.raw, value, row.note)
    table.add_row(str(row.offset), *(Text(_printable(cell)) for cell in cells))
    for part in row.parts:
        _add(table, part, depth + 1)


def _printable(text: str) -> str:
    """`text` with every control character named: a message must not steer the terminal."""
    return "".join(
        character if character.isprintable() else f"\\x{ord(character):02x}" for character in text
    )
