"""deploy/systemd: units that start commands there are, with settings there are."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from cardrail.cli import COMMANDS
from cardrail.settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))


def read(path: Path) -> RawConfigParser:
    unit = RawConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # as the module's text says
    unit.read_string(path.read_text())
    return unit


def test_the_target_starts_every_service() -> None:
    wanted = read(FOLDER / "cardrail.target")["Unit"]["Wants"].split()
    assert sorted(wanted) == [path.name for path in SERVICES]


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_a_service_has_time_to_stop_and_its_files_are_private(path: Path) -> None:
    service = read(path)["Service"]
    started = re.fullmatch(r"/opt/cardrail/bin/cardrail ([a-z]+)", service["ExecStart"])
    assert started is not None
    assert started[1] in COMMANDS
    assert service["UMask"] == "0077"
    assert service["StateDirectoryMode"] == "0700"
    assert int(service["TimeoutStopSec"]) > Settings.model_fields["drain_seconds"].default
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"


def test_workers_are_stopped_by_their_parent() -> None:
    service = read(FOLDER / "cardrail-gateway.service")["Service"]
    assert service["KillMode"] == "mixed"


def test_systemd_agrees(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    for path in FOLDER.iterdir():
        text = path.read_text().replace("/opt/cardrail/bin/cardrail", "/bin/true")
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", *(str(tmp_path / path.name) for path in FOLDER.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
