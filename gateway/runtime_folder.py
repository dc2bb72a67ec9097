"""The runtime folder of a machine's gateways: private; its locks end with their process."""

from __future__ import annotations

import fcntl
import stat
from pathlib import Path
from typing import IO

_OWNER_ONLY = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private(runtime: Path) -> None:
    """The folder, made if it is not there.

    Raises
    ------
    ValueError
        If others may enter it.
    OSError
        If it cannot be made.
    """
    runtime.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    if runtime.stat().st_mode & _OTHERS:
        raise ValueError(f"the runtime folder {runtime}: others may enter it, expected mode 0700")


def take_lock(path: Path) -> IO[bytes]:
    """Held until it is closed, at the latest with this process.

    Raises
    ------
    ValueError
        If another process holds it.
    """
    file = path.open("ab")
    try:
        lock(file)
    except BlockingIOError:
        file.close()
        raise ValueError(
            f"the runtime folder {path.parent}: {path.stem} runs there already;"
            " CARDRAIL_RUNTIME names another folder"
        ) from None
    return file


def lock(file: IO[bytes]) -> None:
    """Until `file` is closed.

    Raises
    ------
    BlockingIOError
        If another process holds it.
    """
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
