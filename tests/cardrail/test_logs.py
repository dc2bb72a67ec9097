from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
import structlog
from sqlalchemy.exc import OperationalError

from cardrail.logs import LogFormat, LogLevel, LogWriter, configure
from gateway.records import DecisionRecord

RECORD = DecisionRecord(
    at=1_795_312_245_000_000,
    network="visanet",
    mti="0100",
    stan="000101",
    pan="400000******0010",
    amount=1250,
    response_code="00",
    outcome="APPROVED",
    explanation='held "1,250"\nlevel=error event=forged',
)


@contextmanager
def writing(writer: LogWriter) -> Iterator[None]:
    writer.start()
    try:
        yield
    finally:
        writer.stop()


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    structlog.reset_defaults()


def test_a_decision_is_one_line_of_key_value() -> None:
    lines = io.StringIO()
    writer = LogWriter(lines, LogFormat.KEY_VALUE)
    with writing(writer):
        writer.put(RECORD)
    assert lines.getvalue() == (
        "timestamp=2026-11-22T01:50:45.000000Z level=info event=decision network=visanet mti=0100"
        " stan=000101 pan=400000******0010 amount=1250 response_code=00 outcome=APPROVED"
        ' explanation="held \\"1,250\\"\\nlevel=error event=forged" replayed=False account_id=0'
        " authorization_id=0 elapsed_ms=0.0\n"
    )


def test_a_decision_is_one_line_of_json() -> None:
    lines = io.StringIO()
    writer = LogWriter(lines, LogFormat.JSON)
    with writing(writer):
        writer.put(RECORD)
    shown = json.loads(lines.getvalue())
    assert (shown["event"], shown["amount"]) == ("decision", 1250)
    assert shown["explanation"] == RECORD.explanation


@pytest.mark.parametrize("level", LogLevel)
def test_the_decision_log_has_every_answer_whatever_the_level(level: LogLevel) -> None:
    lines, decisions = io.StringIO(), io.StringIO()
    writer = LogWriter(lines, LogFormat.KEY_VALUE, decisions=decisions, level=level)
    with writing(writer):
        writer.put(RECORD)
    assert msgspec.json.decode(decisions.getvalue(), type=DecisionRecord) == RECORD
    assert bool(lines.getvalue()) == (level in (LogLevel.DEBUG, LogLevel.INFO))


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    lines = io.StringIO()
    writer = LogWriter(lines, LogFormat.JSON, capacity=2)
    for _ in range(5):
        writer.put(RECORD)
    assert writer.dropped_count == 3
    with writing(writer):
        pass
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [each["event"] for each in told] == ["decision", "decision", "log events dropped"]
    assert told[-1]["count"] == 3


def test_structlog_and_the_standard_library_write_here() -> None:
    lines = io.StringIO()
    writer = LogWriter(lines, LogFormat.JSON)
    configure(writer)
    with writing(writer):
        structlog.get_logger().info("link opened", network="visanet", object=LogFormat)
        structlog.get_logger().debug("not shown")
        logging.getLogger("ledger").warning("busy %d", 5)
        logging.getLogger("ledger").info("ready")
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(each["level"], each["event"]) for each in told] == [
        ("info", "link opened"),
        ("warning", "busy 5"),
        ("info", "ready"),
    ]


def test_an_exception_is_named_and_not_quoted() -> None:
    text = logged(ValueError("4000000000000010"))
    assert "exception=ValueError" in text
    assert "test_logs.py:" in text
    assert "4000000000000010" not in text


def test_a_database_in_trouble_is_quoted_in_its_first_line() -> None:
    reason = Exception("database or disk is full\nDETAIL: 4000000000000010")
    text = logged(OperationalError("INSERT 4000000000000010", {}, reason))
    assert 'reason="database or disk is full"' in text
    assert "4000000000000010" not in text


def logged(error: Exception) -> str:
    """What is written of `error`."""
    lines = io.StringIO()
    writer = LogWriter(lines, LogFormat.KEY_VALUE)
    configure(writer)
    with writing(writer):
        try:
            raise error
        except type(error):
            logging.getLogger("ledger").exception("failed")
    return lines.getvalue()
