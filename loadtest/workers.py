"""The processes of an open-loop run: started, begun at one moment, listened to, gone at the end.

A worker says over its pipe that its links are signed on, is told when to begin, and reports
intervals. Whatever it is sent afterwards ends its sending; the end of the pipe ends it altogether,
so that no worker outlives the run.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from time import monotonic
from typing import TypeAlias

import msgspec

from loadtest.figures import Figures, Interval
from loadtest.links import LinkRefused
from loadtest.openloop import Driver
from loadtest.plan import Plan

_BEHIND_WHAT_IT_MEASURES = 19  # niceness: on one machine it takes what is left
_AHEAD_SECONDS = 0.1  # from the last worker's readiness to the first message
_IMPORT_SECONDS = 30.0
_END_SECONDS = 5.0
_LOOK_SECONDS = 0.25


class WorkerFailed(Exception):
    """A process of the driver ended early; what it had to say is on stderr."""


class Ready(msgspec.Struct, tag=True):
    """Every link is signed on."""


class Refused(msgspec.Struct, tag=True):
    """No link; why, for a person."""

    reason: str


class Report(msgspec.Struct, tag=True):
    """An interval has passed."""

    interval: Interval


Word: TypeAlias = Ready | Refused | Report
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Word).decode


class Run:
    """One run of a plan; `stop` may be called from a signal handler."""

    def __init__(self, plan: Plan) -> None:
        self.figures = Figures(plan.profile.networks)
        self.in_flight = 0
        self._plan = plan
        self._is_stopping = False

    def stop(self) -> None:
        """Send no more, wait for the answers, and come to the end."""
        self._is_stopping = True

    def follow(self, tell: Callable[[float], None]) -> Figures:
        """Run to the end; `tell` is called several times a second with the seconds so far.

        Raises
        ------
        LinkRefused
            If the gateway cannot be reached.
        WorkerFailed
            If a process ends early.
        """
        with _started(self._plan) as pipes:
            self._await_links(pipes)
            begin = monotonic() + _AHEAD_SECONDS
            _tell_all(pipes, begin)
            self._listen(pipes, begin, tell)
        return self.figures

    def _await_links(self, pipes: list[Connection]) -> None:
        deadline = monotonic() + _IMPORT_SECONDS + self._plan.patience_seconds
        for pipe in pipes:
            if not pipe.poll(max(deadline - monotonic(), 0.0)):
                raise WorkerFailed("a process of the driver did not become ready")
            word = _receive(pipe)
            if isinstance(word, Refused):
                raise LinkRefused(word.reason)

    def _listen(self, pipes: list[Connection], begin: float, tell: Callable[[float], None]) -> None:
        running = list(pipes)
        told_to_stop, tell_at = False, 0.0
        in_flight: dict[int, int] = {}
        while running:
            if self._is_stopping and not told_to_stop:
                told_to_stop = True
                _tell_all(running, None)
            for ready in wait(running, _LOOK_SECONDS):
                assert isinstance(ready, Connection)
                word = _receive(ready)
                assert isinstance(word, Report)
                self.figures.add(word.interval)
                in_flight[ready.fileno()] = word.interval.in_flight
                if word.interval.ended is not None:
                    running.remove(ready)
            self.in_flight = sum(in_flight.values())
            now = monotonic()
            if now >= tell_at or not running:
                tell_at = now + _LOOK_SECONDS
                tell(max(now - begin, 0.0))


def _tell_all(pipes: list[Connection], what: float | None) -> None:
    for pipe in pipes:
        with suppress(BrokenPipeError):  # one that has ended is noticed where it is listened to
            pipe.send(what)


def _receive(pipe: Connection) -> Word:
    try:
        word: Word = _decode(pipe.recv_bytes())
    except EOFError:
        raise WorkerFailed("a process of the driver has ended early") from None
    return word


@contextmanager
def _started(plan: Plan) -> Iterator[list[Connection]]:
    """The pipes to one process each; leaving the context ends the processes."""
    context = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    processes: list[SpawnProcess] = []
    try:
        for number in range(plan.processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(plan, number, theirs), daemon=True)
            process.start()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join(_END_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()


def _work(plan: Plan, number: int, pipe: Connection) -> None:
    """What a process does, as long as somebody listens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's; the command passes it on
    os.nice(_BEHIND_WHAT_IT_MEASURES)
    with suppress(EOFError, BrokenPipeError):
        _drive(Driver(plan, number), pipe)


def _drive(driver: Driver, pipe: Connection) -> None:
    try:
        driver.dial()
    except LinkRefused as error:
        pipe.send_bytes(_encode(Refused(str(error))))
        return
    pipe.send_bytes(_encode(Ready()))
    begin = pipe.recv()
    # Nothing here makes cycles, and a collection would be somebody's latency.
    gc.collect()
    gc.freeze()
    gc.disable()
    driver.run(begin, pipe, lambda interval: pipe.send_bytes(_encode(Report(interval))))
