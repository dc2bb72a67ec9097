"""The server of the tests itself: it never outlives them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

SCENE = """
import sys
from tests import postgresql
made = postgresql.server()
print(*made.processes, made.folder, flush=True)
sys.stdin.read()
"""


def test_a_killed_run_leaves_no_server() -> None:
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", SCENE]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        server_pid, guard_pid, folder = run.stdout.readline().split()
        server, guard = psutil.Process(int(server_pid)), psutil.Process(int(guard_pid))
        run.kill()
    _, alive = psutil.wait_procs([server, guard], timeout=30)
    assert not any(each.is_running() and each.status() != "zombie" for each in alive)
    assert not Path(folder).exists()
