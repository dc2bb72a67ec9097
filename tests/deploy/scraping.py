"""A real Prometheus with the rules of deploy/, in a hurry, and what it scrapes."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.cardrail.test_serve import environment

DEPLOYED = Path(__file__).parents[2] / "deploy" / "prometheus"
PROMETHEUS = shutil.which("prometheus")
_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 30.0


class Prometheus:
    """A running server's API."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        url = f"http://{self._address}/api/v1/{path}?{urlencode(parameters)}"
        with urlopen(url, timeout=10) as answer:
            found = json.load(answer)
        assert found["status"] == "success"
        return found["data"]

    def value(self, expression: str) -> float | None:
        """The only value of `expression` now; None while there is none."""
        result = self.get("query", query=expression)["result"]
        return float(result[0]["value"][1]) if result else None

    def numbers(self, expression: str) -> list[float]:
        """Every value of `expression` now, but for those that are no number."""
        values = (float(each["value"][1]) for each in self.get("query", query=expression)["result"])
        return [each for each in values if not math.isnan(each)]

    def wait_for(self, expression: str, value: float) -> None:
        """Until `expression` has that value."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while (found := self.value(expression)) != value:
            assert time.monotonic() < give_up, f"{expression} is {found}"
            time.sleep(_LOOK_SECONDS)

    def wait_until_none(self, missing: Callable[[], Collection[str]]) -> None:
        """Until nothing is `missing`."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while found := missing():
            assert time.monotonic() < give_up, sorted(found)
            time.sleep(_LOOK_SECONDS)


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """It scrapes `target` and follows the deployed rules, twenty times as often as deployed."""
    assert PROMETHEUS is not None
    config = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "250ms", "evaluation_interval": "500ms"}
    config["rule_files"] = [str(DEPLOYED / path) for path in config["rule_files"]]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    log = folder / "prometheus.log"
    command = [PROMETHEUS, "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    listening = ["--web.listen-address=127.0.0.1:0", "--log.format=json"]
    at_once = ["--scrape.discovery-reload-interval=100ms"]  # or it begins after five seconds
    with log.open("w") as lines:
        process = subprocess.Popen([*command, *listening, *at_once], cwd=folder, stderr=lines)
    try:
        yield Prometheus(_address(log, process))
    finally:
        process.kill()
        process.wait()


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Where it listens, once it is ready."""
    while process.poll() is None:
        told = {
            line["msg"]: line
            for line in map(json.loads, log.read_text().splitlines()[:-1] or ["{}"])
            if "msg" in line
        }
        if "Server is ready to receive web requests." in told:
            return str(told["Listening on"]["address"])
        time.sleep(_LOOK_SECONDS)
    raise AssertionError(log.read_text())


@contextmanager
def operations(folder: Path, url: str) -> Iterator[str]:
    """`cardrail ops` for the gateways of `folder` and the ledger at `url`; its address."""
    command = [sys.executable, "-m", "cardrail", "ops", "--ledger", url, "--http", "127.0.0.1:0"]
    with (
        (folder / "ops.log").open("w") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env=environment(CARDRAIL_FIGURES_SECONDS="0.2"),
        ) as process,
    ):
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            yield str(ready["url"]).removeprefix("http://")
        finally:
            process.kill()


@contextmanager
def demo(folder: Path, *options: str) -> Iterator[str]:
    """`cardrail demo`; the address of its pages, as it tells it."""
    command = [sys.executable, "-m", "cardrail", "demo", *options]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment(),
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        try:
            assert "http://" in first, first + process.stderr.read()
            yield first.rpartition("http://")[2].strip()
        finally:
            process.terminate()  # it ends what it has started
            process.stderr.read()
