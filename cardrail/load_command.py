"""``cardrail load``: messages at a rate, whatever the gateway does, and then the audit."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cardrail.ledger_command import audit_text
from cardrail.opening import DEFAULT_URL, Url, fail, opened
from ledger.audit import AuditReport, audit
from loadtest.arrivals import Arrivals
from loadtest.plan import IN_FLIGHT_MOST, Plan, Profile
from loadtest.targets import Address, parse_address

if TYPE_CHECKING:
    from loadtest.figures import Figures

_NEEDED = "plots need the extra `load`: pip install 'cardrail[load]'"


def load(
    *,
    connect_visanet: Annotated[
        str, typer.Option(help="VisaNet-like links are accepted here.", metavar="HOST:PORT")
    ] = "127.0.0.1:8583",
    connect_quicpay: Annotated[
        str, typer.Option(help="QUICPay+-like links are accepted here.", metavar="HOST:PORT")
    ] = "127.0.0.1:8584",
    rate: Annotated[float, typer.Option(min=0.1, help="Messages intended a second.")] = 1000,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long they are sent.")] = 10,
    links: Annotated[
        int, typer.Option(min=1, max=64, help="Links to each network, of each process.")
    ] = 1,
    processes: Annotated[int, typer.Option(min=1, max=16, help="Processes that send.")] = 1,
    arrivals: Annotated[
        Arrivals,
        typer.Option(help="How the intended times are spread; closed: one for each answer."),
    ] = Arrivals.POISSON,
    in_flight: Annotated[
        int | None, typer.Option(min=1, help="Most under way at once: 50,000; closed, 256.")
    ] = None,
    profile: Annotated[
        Profile, typer.Option(help="One network, both, or both on one account.")
    ] = Profile.MIXED,
    accounts: Annotated[
        int, typer.Option(min=1, help="Use the seeded cards 1 to this one.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same messages.")] = 1,
    ledger: Url = DEFAULT_URL,
    no_audit: Annotated[
        bool, typer.Option("--no-audit", help="The ledger is out of reach: do not audit it.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write load.json and plots into this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Load a gateway with an open loop, or a closed one, and audit its ledger.

    Latencies are counted from the intended send time. Exits with 0 only if every message was
    decided in time and the books balance.

    Example: cardrail load --rate 5000 --seconds 30 --links 2 --report load-report
    """
    plan = Plan(
        addresses={
            "visanet": _address(connect_visanet, "--connect-visanet"),
            "quicpay": _address(connect_quicpay, "--connect-quicpay"),
        },
        rate=rate,
        seconds=seconds,
        profile=profile,
        arrivals=arrivals,
        links=links,
        processes=processes,
        accounts=accounts,
        seed=seed,
        in_flight_most=in_flight or IN_FLIGHT_MOST[arrivals],
    )
    if not no_audit:
        with opened(ledger):
            pass  # better now than after the run
    if report is not None:
        _make_folder(report)
    figures = _run(plan)
    audited = None if no_audit else _audit(ledger)
    is_ok = not figures.errors and (audited is None or audited.clean)
    summary = _summary(plan, figures, audited, is_ok=is_ok)
    if report is not None:
        from loadtest.report import write_report

        write_report(report, summary, figures)
    if as_json:
        sys.stdout.write(json.dumps(summary) + "\n")
    else:
        _show(figures, audited)
    raise typer.Exit(0 if is_ok else 1)


def _address(text: str, option: str) -> Address:
    try:
        return parse_address(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _make_folder(folder: Path) -> None:
    try:
        import loadtest.report  # noqa: F401 - only to see whether it can be
    except ModuleNotFoundError:
        fail(_NEEDED)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"cannot write into {folder}: {error.strerror}")


def _run(plan: Plan) -> Figures:
    """Run to the end, or to the end of what is under way once SIGINT or SIGTERM comes."""
    from rich.console import Console

    from cardrail.load_screen import progress_bar
    from loadtest.links import LinkRefused
    from loadtest.workers import Run, WorkerFailed

    run = Run(plan)
    before = {
        number: signal.signal(number, lambda *_: run.stop())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with progress_bar(Console(stderr=True), plan.seconds) as tell:
            return run.follow(lambda elapsed: tell(run.figures, elapsed))
    except (LinkRefused, WorkerFailed) as error:
        typer.echo(f"load: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _audit(url: str) -> AuditReport:
    with opened(url) as database, database.reading() as connection:
        return audit(connection)


def _summary(
    plan: Plan, figures: Figures, audited: AuditReport | None, *, is_ok: bool
) -> dict[str, object]:
    asked = msgspec.to_builtins(plan)
    told = None
    if audited is not None:
        told = {"clean": audited.clean, **msgspec.to_builtins(audited)}
    return {"ok": is_ok, "plan": asked, **figures.as_json(), "audit": told}


def _show(figures: Figures, audited: AuditReport | None) -> None:
    from rich.console import Console

    from cardrail.load_screen import summary_table

    Console().print(summary_table(figures))
    typer.echo("not audited" if audited is None else audit_text(audited))
