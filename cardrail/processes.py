"""Child processes that are started together, and all gone at the end."""

from __future__ import annotations

import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

_KILL_AFTER_SECONDS = 10.0
_LOG_TAIL_LINES = 12


_ENDING = (signal.SIGTERM, signal.SIGHUP)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """Unwind, so that children are stopped and temporary folders removed."""
    raise SystemExit(128 + number)


class ChildFailed(Exception):
    """A child ended, or never became ready; the message has the end of its log."""

    def __init__(self, child: Child, what: str) -> None:
        tail = child.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
        super().__init__("\n  ".join([f"{child.name} {what}; the end of its log:", *tail]))


@dataclass(frozen=True, slots=True)
class Child:
    """One running command; its standard error goes to `log`."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def ended(self) -> bool:
        """Whether it has exited, with whatever status."""
        return self.process.poll() is not None

    def read_line(self, timeout_seconds: float) -> str:
        """The next line of its standard output.

        Raises
        ------
        ChildFailed
            If it ends, or says nothing, before `timeout_seconds` are over.
        """
        output = self.process.stdout
        assert output is not None
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            ready = selector.select(timeout_seconds)
        line = output.readline() if ready else b""
        if not line:
            what = f"exited with {self.process.wait()}" if ready else "did not become ready"
            raise ChildFailed(self, what)
        return line.decode()

    def finish(self, timeout_seconds: float) -> str:
        """Wait for its own end and give the rest of its standard output.

        Raises
        ------
        ChildFailed
            If it is still running after `timeout_seconds`.
        """
        try:
            output, _ = self.process.communicate(timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            raise ChildFailed(self, f"did not end within {timeout_seconds:g} s") from None
        return output.decode()

    def stop(self) -> int:
        """SIGTERM, and SIGKILL if that is not heard; its exit status."""
        if not self.ended:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_KILL_AFTER_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def kill(self) -> None:
        """SIGKILL, wherever it is; returns when it is gone."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@dataclass(slots=True)
class Children:
    """A group of ``cardrail`` commands; leaving the context kills what still runs.

    SIGTERM and SIGHUP leave it, too; it is entered on the main thread.
    """

    logs: Path
    environment: Mapping[str, str]
    running: list[Child] = field(default_factory=list)

    def start(self, name: str, arguments: Sequence[str]) -> Child:
        """Start ``cardrail ARGUMENTS`` with this interpreter."""
        log = self.logs / f"{name}.log"
        with log.open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-m", "cardrail", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self.environment,
            )
        child = Child(name, process, log)
        self.running.append(child)
        return child

    def __enter__(self) -> Self:
        for number in _ENDING:
            signal.signal(number, _end)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for child in self.running:
            child.kill()
