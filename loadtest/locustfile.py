"""``locust -f loadtest/locustfile.py --host 127.0.0.1:8583 --quicpay 127.0.0.1:8584``.

`--host` is where VisaNet-like links are accepted, `--quicpay` where QPX-1 links are; without the
latter only VisaNet-like users come. ``locust -f loadtest/locustfile.py QuicpayUser --host ...``
runs QPX-1 alone. With CARDRAIL_LEDGER set, every run ends with an audit of that ledger, and a run
whose audit fails, fails.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from argparse import ArgumentParser

import gevent
from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from loadtest.answers import ErrorKind
from loadtest.gevent_link import GeventLink, OnError
from loadtest.iso8583_user import Iso8583User, QuicpayUser, VisanetUser
from loadtest.links import LinkRefused
from loadtest.money_audit import LEDGER_VARIABLE, audit_money
from loadtest.numbering import Numbering
from loadtest.shapes import SHAPES, USUAL, users_at
from loadtest.targets import parse_address

__all__ = ["ChosenShape", "QuicpayUser", "VisanetUser"]

_log = logging.getLogger(__name__)
_WORKERS = 10  # as many locust workers number their messages differently


class ChosenShape(LoadTestShape):
    """The shape that ``--shape`` names."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """Users now and how fast they come and go, or None at the end."""
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        assert options is not None
        shape = SHAPES[options.shape]
        most = options.num_users or 1
        seconds = options.run_time or shape.seconds
        users = users_at(shape, (time.perf_counter() - self.start_time) / seconds, most)
        return None if users is None else (users, options.spawn_rate or most)


def _add_options(parser: ArgumentParser, **_: object) -> None:
    parser.add_argument("--quicpay", default="", help="Where QPX-1 links are accepted, HOST:PORT")
    parser.add_argument(
        "--shape", choices=list(SHAPES), default=USUAL, help="How users come and go"
    )
    parser.add_argument("--accounts", type=int, default=1000, help="Use the seeded cards 1 to this")


def _prepare(environment: Environment, runner: Runner, **_: object) -> None:
    options = environment.parsed_options
    assert options is not None
    if not options.quicpay and VisanetUser in environment.user_classes:
        # Without an address of their own QPX-1 users would dial the other network's port.
        environment.user_classes = [
            each for each in environment.user_classes if each is not QuicpayUser
        ]
    if options.headless:
        # With a load shape locust itself only listens to SIGTERM once the shape is over.
        gevent.signal_handler(signal.SIGTERM, runner.quit)


def _start(environment: Environment, **_: object) -> None:
    """Dial one link for each network; a run that has none is no run."""
    if isinstance(environment.runner, MasterRunner):
        return
    try:
        for user_class in environment.user_classes:
            assert issubclass(user_class, Iso8583User)
            _connect(user_class, environment)
    except (LinkRefused, ValueError) as error:
        _log.error("%s", error)
        environment.process_exit_code = 1
        assert environment.runner is not None
        environment.runner.quit()


def _connect(user_class: type[Iso8583User], environment: Environment) -> None:
    options = environment.parsed_options
    assert options is not None
    is_second = user_class is QuicpayUser and options.quicpay
    address = parse_address(options.quicpay if is_second else environment.host or "")
    index = max(getattr(environment.runner, "worker_index", 0), 0)
    user_class.accounts = options.accounts
    user_class.chance.seed()  # workers are forks of one process
    user_class.numbering = Numbering(int(time.time()), index % _WORKERS, _WORKERS)
    user_class.link = GeventLink(
        user_class.target, address, _teller(environment, user_class.target.name)
    )


def _teller(environment: Environment, network: str) -> OnError:
    """What belongs to no request is a failure of its own."""

    def tell(kind: ErrorKind) -> None:
        environment.events.request.fire(
            request_type=network,
            name=kind.value,
            response_time=0,
            response_length=0,
            exception=RuntimeError(kind.value),
            context={},
        )

    return tell


def _stop(environment: Environment, **_: object) -> None:
    """Hang up, and audit the money; a master without a web page tells its workers only later."""
    for user_class in environment.user_classes:
        link = user_class.__dict__.get("link")
        if isinstance(link, GeventLink):
            link.sign_off()
    if not isinstance(environment.runner, WorkerRunner) and not _is_headless_master(environment):
        _audit(environment)


def _quit(environment: Environment, **_: object) -> None:
    """A run that is cut short is stopped first, so that its audit can still fail it."""
    runner = environment.runner
    if runner is not None and runner.user_count:
        runner.stop()
    if _is_headless_master(environment):
        _audit(environment)


def _is_headless_master(environment: Environment) -> bool:
    options = environment.parsed_options
    is_headless = options is not None and bool(options.headless)
    return is_headless and isinstance(environment.runner, MasterRunner)


def _audit(environment: Environment) -> None:
    if not os.environ.get(LEDGER_VARIABLE):
        return
    audited = audit_money()
    _log.log(logging.INFO if audited.is_clean else logging.ERROR, "audit: %s", audited.told)
    if not audited.is_clean:
        environment.process_exit_code = 1


events.init_command_line_parser.add_listener(_add_options)
events.init.add_listener(_prepare)
events.test_start.add_listener(_start)
events.test_stop.add_listener(_stop)
events.quitting.add_listener(_quit)
