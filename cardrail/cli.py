"""The commands, as a table; each is imported only when it is asked for."""

from __future__ import annotations

import importlib
import sys

import typer

COMMANDS: dict[str, str] = {
    "demo": "cardrail.demo_command:demo",
    "serve": "cardrail.serve:serve",
    "jobs": "cardrail.jobs_command:jobs",
    "publish": "cardrail.publish_command:publish",
    "ops": "cardrail.ops_command:ops",
    "sim": "cardrail.sim_command:sim",
    "load": "cardrail.load_command:load",
    "ledger": "cardrail.ledger_command:ledger_app",
    "card": "cardrail.card_command:card_app",
    "explain": "cardrail.explain_command:explain",
    "describe": "cardrail.describe_command:describe",
    "encode": "cardrail.describe_command:encode",
    "asyncapi": "cardrail.asyncapi_command:asyncapi",
    "bench": "cardrail.bench:bench_app",
    "crashtest": "cardrail.crashtest_command:crashtest",
}


def program(wanted: list[str]) -> typer.Typer:
    """The command line with the commands `wanted`, in the table's order."""
    app = typer.Typer(
        name="cardrail",
        help="An issuer's side of the card rails in a box. Simulator: no live cards.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # a traceback with local variables could show a PAN
    )
    app.callback()(_program)
    for name in wanted:
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _program() -> None:
    """An issuer's side of the card rails in a box. Simulator: no live cards."""


def main() -> None:
    """Run the command line; only the module of the command that was named is imported."""
    named = sys.argv[1:2]
    program(named if named and named[0] in COMMANDS else list(COMMANDS))()
