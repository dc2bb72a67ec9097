"""Logs: structured lines on stderr, rendered and written by a thread and not by the event loop.

The loop only puts events into a bounded queue. What does not fit is dropped and counted, and the
count is told as soon as there is room again: a slow terminal costs log lines, never answers.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TextIO

import msgspec
import structlog
from sqlalchemy.exc import OperationalError

from cardrail.decision_lines import json_line, key_value_line, quoted
from gateway.records import DecisionRecord

_CAPACITY = 20_000
_GATHER_SECONDS = 0.02  # one write for what comes within this time

Event = MutableMapping[str, Any]
Render = Callable[[Event], str]


class LogFormat(StrEnum):
    """How a line looks."""

    KEY_VALUE = "key-value"
    JSON = "json"


class LogLevel(StrEnum):
    """From which level on lines are written; each decision is a line of level info."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        """The level as the standard library counts."""
        return logging.getLevelNamesMapping()[self.name]


class LogWriter:
    """The thread that writes, and its queue.

    Parameters
    ----------
    lines
        Where rendered lines go.
    decisions
        Where decision records go as JSON lines, besides; ``None`` for nowhere.
    level
        What is below it is not written; a decision is of level info.
    """

    def __init__(
        self,
        lines: TextIO,
        log_format: LogFormat,
        *,
        decisions: TextIO | None = None,
        level: LogLevel = LogLevel.INFO,
        capacity: int = _CAPACITY,
    ) -> None:
        self._lines = lines
        self._decisions = decisions
        self.level = level.number
        self._render, self._render_decision = _RENDERERS[log_format]
        self._capacity = capacity
        self._queue: deque[Event | DecisionRecord] = deque()
        self._dropped_count = 0
        self._told_count = 0
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)

    @property
    def dropped_count(self) -> int:
        """How many events found the queue full."""
        return self._dropped_count

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting, then end the thread."""
        self._stopping.set()
        self._awake.set()
        self._thread.join()

    def put(self, event: Event | DecisionRecord) -> None:
        """Take one event; never blocks."""
        if len(self._queue) >= self._capacity:
            self._dropped_count += 1
            return
        self._queue.append(event)
        if not self._awake.is_set():
            self._awake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._awake.wait()
            self._stopping.wait(_GATHER_SECONDS)
            self._awake.clear()
            self._write_waiting()
        self._write_waiting()

    def _write_waiting(self) -> None:
        lines: list[str] = []
        decisions: list[str] = []
        while self._queue:
            event = self._queue.popleft()
            if isinstance(event, DecisionRecord):
                self._add_decision(event, lines, decisions)
            else:
                lines.append(self._render(event))
        dropped = self._dropped_count - self._told_count
        if dropped:
            self._told_count += dropped
            lines.append(self._render(_event("warning", "log events dropped", count=dropped)))
        _write(self._lines, lines)
        if self._decisions is not None:
            _write(self._decisions, decisions)

    def _add_decision(self, record: DecisionRecord, lines: list[str], decisions: list[str]) -> None:
        if self._decisions is not None:
            decisions.append(msgspec.json.encode(record).decode())
        if self.level <= logging.INFO:
            lines.append(self._render_decision(record))


def configure(writer: LogWriter) -> None:
    """Send structlog's events, and the warnings of libraries, to `writer`."""

    def enqueue(_logger: object, _method: str, event: Event) -> Event:
        writer.put(event)
        raise structlog.DropEvent

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            enqueue,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(writer.level),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _Forward(writer)
    logging.basicConfig(level=writer.level, handlers=[handler], force=True)


class _Forward(logging.Handler):
    """The standard library's records as events.

    An exception is named with the place it came from; its text is not shown, because it may
    quote a value. Only a database in trouble is quoted, in its own first line: it speaks of files,
    locks and connections.
    """

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        event = _event(record.levelname.lower(), record.getMessage(), logger=record.name)
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            event["exception"] = type(error).__name__
            event["raised_at"] = ":".join(
                map(str, traceback.extract_tb(error.__traceback__)[-1][:2])
            )
            if isinstance(error, OperationalError):
                event["reason"] = str(error.orig).partition("\n")[0]
        self._writer.put(event)


def _event(level: str, text: str, **fields: object) -> Event:
    return {"timestamp": _text(datetime.now(UTC)), "level": level, "event": text, **fields}


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _write(file: TextIO, lines: list[str]) -> None:
    if lines:
        file.write("\n".join(lines) + "\n")
        file.flush()


_FIRST = ("timestamp", "level", "event")


def _as_key_value(event: Event) -> str:
    """One line; what is not plain is quoted as in JSON, so that no value can end the line."""
    first = [(name, event[name]) for name in _FIRST]
    rest = [(name, value) for name, value in event.items() if name not in _FIRST]
    return " ".join([f"{name}={quoted(str(value))}" for name, value in first + rest])


def _as_json(event: Event) -> str:
    return msgspec.json.encode(dict(event), enc_hook=str).decode()


_RENDERERS: Mapping[LogFormat, tuple[Render, Callable[[DecisionRecord], str]]] = MappingProxyType(
    {
        LogFormat.KEY_VALUE: (_as_key_value, key_value_line),
        LogFormat.JSON: (_as_json, json_line),
    }
)
