"""The golden vectors of tests/vectors: messages that an independent implementation encoded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS

_FOLDER = Path(__file__).resolve().parent.parent / "vectors"


@dataclass(frozen=True, slots=True)
class Vector:
    """One message: what it says and how it looks on the wire (README beside the files)."""

    name: str
    dialect: Dialect
    header: Mapping[str, str]
    fields: Mapping[str, str]
    subfields: Mapping[str, Any]
    frame: bytes
    message: bytes

    def __str__(self) -> str:
        return f"{self.dialect.name}-{self.name}"


def _load(dialect: Dialect) -> list[Vector]:
    rows = json.loads((_FOLDER / f"{dialect.name}.json").read_text(encoding="utf-8"))
    return [
        Vector(
            name=row["name"],
            dialect=dialect,
            header=row["header"],
            fields=row["fields"],
            subfields=row.get("subfields", {}),
            frame=bytes.fromhex(row["frame"]),
            message=bytes.fromhex(row["message"]),
        )
        for row in rows
    ]


VECTORS: list[Vector] = [vector for dialect in DIALECTS.values() for vector in _load(dialect)]


def vector(dialect: str, name: str) -> Vector:
    """The vector `name` of `dialect`."""
    return next(v for v in VECTORS if (v.dialect.name, v.name) == (dialect, name))
