"""The table of a run."""

from io import StringIO

from rich.console import Console

from networks.screen import screen
from networks.tally import Phase, Tally


def shown(tally: Tally) -> str:
    console = Console(file=StringIO(), width=120)
    console.print(screen(tally.progress(Phase.RUNNING, 2.0, 1, 3)))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_an_empty_run_can_be_shown() -> None:
    table = shown(Tally("visanet"))
    assert "visanet: running" in table
    assert "%" not in table


def test_declines_are_shown_by_code_and_approvals_as_a_share() -> None:
    tally = Tally("quicpay")
    for code in ("00", "00", "51", "54"):
        tally.opened(code, 0.002)
    table = shown(tally)
    assert "50.0 %" in table
    assert "51: 1, 54: 1" in table
    assert "p50 2.00 ms" in table
