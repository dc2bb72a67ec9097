"""The journal keeps the last exchanges, masked, and gives them to whoever may read its file."""

from __future__ import annotations

import re
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gateway.inspector.annotated import Covered, Exchange, Frame, annotate, annotate_frame, cover
from gateway.inspector.journal import Journal, JournalReader
from tests.gateway.inspector.exchanges import (
    CARD_VERIFICATION,
    PAN,
    PIN_BLOCK,
    TRACK2,
    exchanged,
)


def numbered(count: int) -> list[Covered]:
    """Exchanges with an RRN each: 0, 1, ..."""
    one = cover(exchanged())
    return [
        Covered(replace(one.record, rrn=str(number)), one.request, one.response)
        for number in range(count)
    ]


def rrns(found: list[Exchange]) -> list[str]:
    return [each.record.rrn for each in found]


def test_a_message_is_annotated_byte_by_byte() -> None:
    found = annotate(cover(exchanged()))
    by_field = {line.field: line for line in found.request.lines}
    assert (by_field["t"].value, by_field["t"].note) == ("0100", "authorization request")
    assert (by_field["2"].value, by_field["4"].note) == (found.record.pan, "JPY 1250")
    offsets = [line.offset for line in found.request.lines if line.depth == 0]
    assert offsets == sorted(offsets)
    assert {line.depth for line in found.request.lines} == {0, 1}
    assert {line.field: line.value for line in found.response.lines}["39"] == "00"
    assert found.request.problems == ()


def test_nothing_secret_gets_into_the_file(tmp_path: Path) -> None:
    """Neither as text nor as the digits of bytes, whatever was compressed."""
    path = tmp_path / "journal.db"
    with closing(Journal(path, most=10)) as journal:
        journal.add([cover(exchanged(network)) for network in ("visanet", "quicpay")])
    told = msgspec.json.encode(JournalReader(path).latest(10)).decode()
    in_ebcdic = {each.encode("cp500").hex().upper() for each in (CARD_VERIFICATION, PAN)}
    for secret in (PAN, TRACK2, PIN_BLOCK, *in_ebcdic):
        assert secret not in told
        assert secret.encode() not in path.read_bytes()
    # Three digits alone may be part of an id.
    assert not re.search(rf"\b{CARD_VERIFICATION.split()[1]}\b", told)
    assert "400000******" in told


def test_what_does_not_decode_is_hidden_and_told() -> None:
    whole = exchanged().request
    found = annotate_frame("visanet", whole[:60])
    assert found.problems
    assert PAN not in str(found)
    assert annotate_frame("visanet", b"") == Frame()


def test_the_last_ones_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(Journal(path, most=3)) as journal:
        for exchange in numbered(5):
            journal.add([exchange])
        assert rrns(JournalReader(path).latest(10)) == ["2", "3", "4"]
        assert rrns(JournalReader(path).latest(1)) == ["4"]


def test_it_is_found_by_rrn_and_by_authorization(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(Journal(path, most=10)) as journal:
        journal.add(numbered(3))
    reader = JournalReader(path)
    assert rrns(reader.of_rrn("1")) == ["1"]
    assert rrns(reader.of_account(1, [17], [])) == ["0", "1", "2"]
    assert rrns(reader.of_account(1, [], ["2", "9"])) == ["2"]
    assert reader.of_account(2, [17], ["2"]) == []


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(Journal(path, most=10)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_another_version_has_kept_is_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as other:
        other.executescript("CREATE TABLE exchanges (other); PRAGMA user_version = 99;")
    assert JournalReader(path).latest(10) == []
    with closing(Journal(path, most=10)) as journal:
        journal.add(numbered(1))
    assert rrns(JournalReader(path).latest(10)) == ["0"]


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_where_there_is_no_journal_nothing_is_found(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "journal.db"
    if content is not None:
        path.write_bytes(content)
    assert JournalReader(path).of_rrn("1") == []
