"""What is owed is there for the next process, however this one ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from gateway.authorize import authorize
from gateway.late_journal import LateJournal
from ledger.commands import Authorize
from tests.gateway.samples import case, purchase

LEDGER = "postgresql://rail:secret@db/ledger"
Open = Callable[..., LateJournal]


def owed(number: int = 1) -> Authorize:
    made = authorize(purchase(rrn=f"{number:012d}"), case())
    assert isinstance(made, Authorize)
    return made


@pytest.fixture
def open_(tmp_path: Path) -> Iterator[Open]:
    """Journals in one folder."""
    with ExitStack() as stack:

        def opened(ledger: str = LEDGER) -> LateJournal:
            journal = LateJournal(tmp_path, ledger)
            stack.callback(journal.close)
            return journal

        yield opened


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("late-*"))


def test_the_next_process_goes_on_with_what_is_owed(open_: Open, tmp_path: Path) -> None:
    first = open_()
    for number in (1, 2, 3):
        first.owe(owed(number))
    first.owe(owed(1))
    first.settle(owed(2))
    first.close()
    assert open_().owed == (owed(1), owed(3))
    assert len(files(tmp_path)) == 1


def test_what_is_taken_over_is_owed_by_who_has_it_now(open_: Open) -> None:
    first = open_()
    first.owe(owed())
    first.close()
    open_().close()
    assert open_().owed == (owed(),)


def test_what_is_settled_is_forgotten(open_: Open, tmp_path: Path) -> None:
    first = open_()
    first.owe(owed())
    first.settle(owed())
    first.settle(owed(2))  # of which nothing was known
    assert [path.read_bytes() for path in files(tmp_path)] == [b""]
    first.close()
    assert files(tmp_path) == []


def test_what_is_owed_after_all_was_settled_is_there_too(open_: Open) -> None:
    first = open_()
    first.owe(owed(1))
    first.settle(owed(1))
    first.owe(owed(2))
    first.close()
    assert open_().owed == (owed(2),)


@pytest.mark.parametrize("cut", [1, 200])
def test_what_a_full_disk_took_half_of_costs_only_itself(
    open_: Open, tmp_path: Path, capfd: pytest.CaptureFixture[str], cut: int
) -> None:
    first = open_()
    for number in (1, 2):
        first.owe(owed(number))
    [path] = files(tmp_path)
    os.truncate(path, path.stat().st_size - cut)
    first.owe(owed(3))
    first.close()
    assert open_().owed == (owed(1), owed(3))
    assert "a line of what was owed cannot be read" in capfd.readouterr().out


def test_a_process_that_lives_keeps_its_own(open_: Open) -> None:
    living = open_()
    living.owe(owed())
    assert open_().owed == ()
    assert living.owed == (owed(),)


def test_another_ledger_has_nothing_to_do_with_it(open_: Open, tmp_path: Path) -> None:
    first = open_()
    first.owe(owed())
    first.close()
    assert open_("sqlite:///ledger.db").owed == ()
    assert not any("secret" in path.name for path in files(tmp_path))
    assert open_().owed == (owed(),)


def test_a_killed_process_has_written_all(open_: Open, tmp_path: Path) -> None:
    script = (
        "import os, signal; from pathlib import Path;"
        " from gateway.late_journal import LateJournal; from tests.gateway.test_late_journal"
        " import LEDGER, owed;"
        f" LateJournal(Path({str(tmp_path)!r}), LEDGER).owe(owed());"
        " os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    assert open_().owed == (owed(),)


def test_a_disk_that_is_full_is_told_of_and_keeps_nobody_waiting(
    open_: Open, capfd: pytest.CaptureFixture[str]
) -> None:
    journal = open_()
    with Path("/dev/full").open("ab", buffering=0) as full:
        kept, journal._file = journal._file, full
        journal.owe(owed())
        journal._file = kept
    assert journal.owed == (owed(),)
    told = capfd.readouterr().out
    assert "what is owed cannot be written down" in told
    assert "No space left on device" in told


def test_it_holds_no_card_number(open_: Open, tmp_path: Path) -> None:
    open_().owe(owed())
    [path] = files(tmp_path)
    assert purchase().pan.encode() not in path.read_bytes()
    assert msgspec.json.decode(path.read_bytes())["type"] == "owed"
