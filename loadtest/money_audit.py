"""The audit at the end of a locust run, by the command that everybody can repeat."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NamedTuple

LEDGER_VARIABLE = "CARDRAIL_LEDGER"  # the command reads it, too: a URL may have a password


class Audited(NamedTuple):
    """Whether the books balance, and what to tell of it."""

    is_clean: bool
    told: str


def audit_money() -> Audited:
    """Run ``cardrail ledger audit`` on the ledger that the environment names."""
    command = [sys.executable, "-m", "cardrail", "ledger", "audit", "--json"]
    ended = subprocess.run(  # noqa: S603 - our own command line
        command, capture_output=True, text=True, check=False
    )
    try:
        report = json.loads(ended.stdout)
    except ValueError:
        return Audited(is_clean=False, told=f"the audit failed: {ended.stderr.strip()}")
    if report["clean"] and ended.returncode == 0:
        entries, holds = (report["counts"][name] for name in ("entries", "holds"))
        return Audited(is_clean=True, told=f"the books balance: {entries} entries, {holds} holds")
    first = report["disagreements"][0]
    count = len(report["disagreements"])
    return Audited(
        is_clean=False, told=f"{count} disagreements, first {first['subject']}: {first['check']}"
    )
