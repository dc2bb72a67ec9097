"""Runs an embedded broker, and ends it when its owner is gone, however that ended.

Run as ``python -m cardrail.broker_guard FOLDER PROGRAM...``; prints the broker's process id.
Standard input is a pipe that the owner holds open and never writes to. At its end the broker and
FOLDER are removed; this process ends with the broker.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

_PATIENCE_SECONDS = 10.0


def main(folder: Path, command: Sequence[str]) -> None:
    """Run the broker until it ends, or its owner."""
    # What ends a run is often sent to all of its processes; the guard goes after them.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    broker = subprocess.Popen(  # noqa: S603 - its owner's
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
    )
    print(broker.pid, flush=True)  # noqa: T201 - data
    ending = threading.Event()
    threading.Thread(target=_end_with_owner, args=(broker, ending), daemon=True).start()
    broker.wait()
    if ending.is_set():
        shutil.rmtree(folder, ignore_errors=True)


def _end_with_owner(broker: subprocess.Popen[bytes], ending: threading.Event) -> None:
    sys.stdin.read()
    ending.set()
    broker.terminate()
    try:
        broker.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        broker.kill()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
