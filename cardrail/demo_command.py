"""``cardrail demo``."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer


def demo(
    *,
    seconds: Annotated[float, typer.Option(min=1, help="How long authorizations are sent.")] = 30,
    rate: Annotated[
        float, typer.Option(min=1, help="Authorizations a second, each network.")
    ] = 100,
    ledger: Annotated[
        str | None, typer.Option(help="Database URL; a fresh embedded ledger if not given.")
    ] = None,
    http: Annotated[
        str, typer.Option(help="Dashboard and API; port 0 takes a free one.", metavar="HOST:PORT")
    ] = "127.0.0.1:0",
    cards: Annotated[int, typer.Option(min=1, help="Seeded accounts with a card each.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed sends the same traffic.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON on stdout.")] = False,
) -> None:
    """Two simulated networks against the gateway, ending with three truths compared.

    The address of the dashboard is told first; it is there as long as the demo runs. Exits with 0
    only if networks, gateway and ledger agree and the books balance.

    Example: cardrail demo --seconds 10 --rate 500
    """
    from rich.console import Console

    from cardrail import demo_report
    from cardrail.broker import BrokerFailed, NoBroker
    from cardrail.demo import Plan, run
    from cardrail.processes import ChildFailed

    plan = Plan(seconds=seconds, rate=rate, http=http, cards=cards, seed=seed, ledger=ledger)
    errors = Console(stderr=True)
    try:
        result = run(plan, errors)
    except (ChildFailed, NoBroker, BrokerFailed) as error:
        errors.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    if as_json:
        json.dump(demo_report.as_json(result), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        demo_report.show(result, Console())
    raise typer.Exit(0 if result.agreed else 1)
