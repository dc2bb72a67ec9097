"""A file's log is copied to it beside the commits, now and then."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger import checkpoints
from ledger.checkpoints import Checkpoints
from ledger.writer import LedgerWriter
from tests.ledger.books import Books
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.writing import Answers


class Copying:
    """An executor that only notes what it should do."""

    def __init__(self) -> None:
        self.asked: list[Future[None]] = []

    def submit(self, *_: Any) -> Future[None]:  # noqa: ANN401 - as it is called
        self.asked.append(Future())
        return self.asked[-1]


@pytest.fixture
def copying(monkeypatch: pytest.MonkeyPatch) -> Copying:
    made = Copying()
    monkeypatch.setattr(checkpoints, "_copying", made)
    return made


def test_in_pauses_one_at_a_time_and_not_at_once_again(
    copying: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Checkpoints("ledger.db")
    kept.after_commit(is_pause=False)
    assert copying.asked == []
    for _ in range(3):
        kept.after_commit(is_pause=True)
    assert len(copying.asked) == 1
    copying.asked[0].set_result(None)
    kept.after_commit(is_pause=True)
    assert len(copying.asked) == 1
    monkeypatch.setattr(checkpoints, "_EVERY_NANOSECONDS", 0)
    kept.after_commit(is_pause=True)
    assert len(copying.asked) == 2


@pytest.mark.parametrize("content", [b"something else" * 1000, None], ids=["another file", "none"])
def test_what_cannot_be_copied_is_told(
    tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "what is this? 100%.db"
    if content is not None:
        path.write_bytes(content)
    with ThreadPoolExecutor() as copying, pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "_copying", copying)
        Checkpoints(f"{path}").after_commit(is_pause=True)
    [told] = [each.message for each in caplog.records if each.levelno == logging.WARNING]
    assert told.startswith("the log was not copied to the ledger's file: ")
    assert path.exists() is (content is not None)


def test_what_a_writer_commits_comes_to_the_file_while_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tables_in_the_file() -> int:
        """Without its log, where everything is at first."""
        alone = shutil.copy(path, tmp_path / "alone.db")
        with closing(sqlite3.connect(f"file:{alone}?immutable=1", uri=True)) as connection:
            [count] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return int(count)

    async def scene() -> None:
        writer = LedgerWriter([books.ledger])
        writer.start()
        writer.submit(books.authorize(1), Answers())
        await writer.stop()

    with fresh_ledger(Engine.SQLITE) as url, closing(Books(url)) as books:
        path = Path(url.removeprefix("sqlite:///"))
        assert tables_in_the_file() == 0
        with ThreadPoolExecutor() as copying:  # whose end waits for what it does
            monkeypatch.setattr(checkpoints, "_copying", copying)
            asyncio.run(scene())
        assert tables_in_the_file() > 0
