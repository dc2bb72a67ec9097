"""``cardrail crashtest``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardrail.engine import Engine

if TYPE_CHECKING:
    from cardrail.crashtest.run import Report, Round


def crashtest(
    *,
    ledger: Annotated[Engine, typer.Option(help="What keeps the ledger.")] = Engine.SQLITE,
    rounds: Annotated[int, typer.Option(min=1, help="How often something is killed.")] = 50,
    seed: Annotated[int, typer.Option(help="The same seed draws sales, targets, instants.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON on stdout.")] = False,
) -> None:
    """Kill the gateway, or its database, under load, again and again; nothing may be lost.

    Exits with 0 only if every acknowledged approval is there, once, and the books balance.

    Example: cardrail crashtest --ledger postgresql --rounds 50 --seed 7
    """
    from cardrail.crashtest.line import Stuck
    from cardrail.crashtest.run import Plan, run
    from cardrail.embedded_postgresql import NoServer
    from cardrail.processes import ChildFailed
    from networks.links import IssuerUnreachable

    plan = Plan(engine=ledger, rounds=rounds, seed=seed)
    try:
        report = run(plan, lambda told: _tell(told, plan.rounds))
    except NoServer as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except (ChildFailed, Stuck, IssuerUnreachable) as error:
        typer.echo(f"{error}\n{_AGAIN.format(ledger, seed)}", err=True)
        raise typer.Exit(1) from None
    if not report.passed:
        typer.echo(_AGAIN.format(ledger, seed), err=True)
    if as_json:
        json.dump(_as_json(report), sys.stdout)
        sys.stdout.write("\n")
    else:
        typer.echo(_SUMMARY.format(**_as_json(report)))
    raise typer.Exit(0 if report.passed else 1)


_SHOWN = 20
_AGAIN = "failed; again by: cardrail crashtest --ledger {} --seed {}"
_SUMMARY = """\
{rounds} rounds: {acknowledged} approvals acknowledged, {in_flight} requests in flight at the kills,
{unheard} of them decided and unheard; {lost} lost, {doubled} doubled, {differing} differing;
books replayed {audit[replayed]} times, {audit[disagreements]} disagreements"""


def _tell(told: Round, rounds: int) -> None:
    """One line for each round, and what was found."""
    typer.echo(
        f"round {told.number:>{len(str(rounds))}}/{rounds}: killed {told.target},"
        f" {told.in_flight} in flight, {told.acknowledged} acknowledged so far",
        err=True,
    )
    for each in told.wrong[:_SHOWN]:
        typer.echo(f"  {each}", err=True)
    if len(told.wrong) > _SHOWN:
        typer.echo(f"  and {len(told.wrong) - _SHOWN} more", err=True)


def _as_json(report: Report) -> dict[str, Any]:
    from cardrail.crashtest.comparison import Kind

    return {
        "ledger": report.plan.engine,
        "seed": report.plan.seed,
        "rounds": report.rounds,
        "sent": report.sent,
        "repeated": report.repeated,
        "acknowledged": report.acknowledged,
        "in_flight": report.in_flight,
        "unheard": report.unheard,
        "lost": report.findings[Kind.LOST],
        "doubled": report.findings[Kind.DOUBLED],
        "differing": report.findings[Kind.DIFFERING],
        "audit": {"replayed": report.audits, "disagreements": report.findings[Kind.UNBALANCED]},
        "killed": dict(report.killed),
        "seconds": report.seconds,
    }
