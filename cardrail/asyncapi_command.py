"""`cardrail asyncapi`."""

from __future__ import annotations

import json
from importlib.metadata import version

import typer


def asyncapi() -> None:
    """Print the AsyncAPI document of what `cardrail publish` publishes, as JSON.

    Example: cardrail asyncapi > docs/asyncapi.json
    """
    from gateway.asyncapi import document

    typer.echo(json.dumps(document(version("cardrail")), indent=2, ensure_ascii=False))
