"""What is owed when a gateway is killed: requests answered 91 that the ledger may have approved.

Rules of this file:

1. A request is written down before its 91 is sent, and struck out once nothing is held of it.
2. A journal belongs to the process that holds its lock. Whoever starts takes over those of the dead
   that served the same ledger.
3. What is written survives its process, not the machine: nothing waits for a disk.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, TypeAlias

import msgspec
import structlog

from gateway.runtime_folder import lock
from ledger.answers import request_key
from ledger.commands import Authorize

_NEW, _SUFFIX = "new-", ".jsonl"
_DIGITS = 16

_log = structlog.get_logger()

Key: TypeAlias = tuple[int, str, str]  # account, network, request key


class _Owed(msgspec.Struct, frozen=True, tag="owed"):
    command: Authorize


class _Settled(msgspec.Struct, frozen=True, tag="settled"):
    key: Key


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Owed | _Settled).decode


class LateJournal:
    """The journal of one process in `folder`, about the ledger at the URL `ledger`."""

    def __init__(self, folder: Path, ledger: str) -> None:
        beginning = f"late-{sha256(ledger.encode()).hexdigest()[:_DIGITS]}-"
        left = sorted(folder.glob(f"{beginning}*{_SUFFIX}"))
        self._path, self._file = _made(folder, beginning)
        self._owed: dict[Key, Authorize] = {}
        for path in left:
            self._take_over(path)

    @property
    def owed(self) -> tuple[Authorize, ...]:
        """Answered 91, and perhaps held; the oldest first."""
        return tuple(self._owed.values())

    def owe(self, command: Authorize) -> None:
        """`command` is going to be answered 91 while nobody knows what becomes of it."""
        key = request_key(command)
        if key not in self._owed:
            self._owed[key] = command
            self._write(_Owed(command))

    def settle(self, command: Authorize) -> None:
        """Nothing is held of it any more."""
        key = request_key(command)
        if self._owed.pop(key, None) is None:
            return
        if self._owed:
            self._write(_Settled(key))
        else:
            self._file.truncate(0)

    def close(self) -> None:
        """End; what is owed is there for whoever starts next."""
        if not self._owed:
            self._path.unlink(missing_ok=True)
        self._file.close()

    def _write(self, line: _Owed | _Settled) -> None:
        """A disk that is full keeps no answer from its request, and is told of."""
        try:
            self._file.write(b"\n" + _encode(line))  # after one that the disk took half of, too
        except OSError as error:
            _log.error("what is owed cannot be written down", error=error.strerror)

    def _take_over(self, path: Path) -> None:
        """What a dead process has left is ours; of one that lives the lock is not to be had."""
        with suppress(BlockingIOError, FileNotFoundError), path.open("rb") as left:
            lock(left)
            for command in _read(left):
                self.owe(command)
            path.unlink(missing_ok=True)


def _made(folder: Path, beginning: str) -> tuple[Path, IO[bytes]]:
    """A new file that has its name once it is locked."""
    descriptor, made = tempfile.mkstemp(prefix=_NEW, dir=folder)
    os.close(descriptor)  # which does not append
    path = folder / f"{beginning}{Path(made).name.removeprefix(_NEW)}{_SUFFIX}"
    file = Path(made).open("ab", buffering=0)  # noqa: SIM115 - until `close`
    lock(file)
    Path(made).rename(path)
    return path, file


def _read(file: IO[bytes]) -> Iterable[Authorize]:
    """What is still owed."""
    owed: dict[Key, Authorize] = {}
    for text in filter(None, file.read().split(b"\n")):
        try:
            line = _decode(text)
        except msgspec.MsgspecError as error:
            _log.error("a line of what was owed cannot be read", file=file.name, error=str(error))
            continue
        if isinstance(line, _Owed):
            owed[request_key(line.command)] = line.command
        else:
            owed.pop(line.key, None)
    return owed.values()
