"""Ends an embedded server whose owner is gone, however that ended.

Run as ``python -m cardrail.postgresql_guard FOLDER``: standard input is a pipe that the owner holds
open and never writes to. At its end the server, if it still runs, and FOLDER are removed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

import psutil


def main(folder: Path) -> None:
    """Wait for the owner's end, then clear up."""
    # What ends a run is often sent to all of its processes; the guard goes after them.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.read()
    with suppress(FileNotFoundError, psutil.NoSuchProcess):
        pid = int((folder / "data" / "postmaster.pid").read_text().partition("\n")[0])
        server = psutil.Process(pid)
        if str(folder / "data") in server.cmdline():
            os.kill(pid, signal.SIGQUIT)  # at once, without a checkpoint
            server.wait(30)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
