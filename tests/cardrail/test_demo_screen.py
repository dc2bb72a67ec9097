"""What a person sees of the demo, with a terminal and without."""

from __future__ import annotations

import io

from rich.console import Console

from cardrail.demo_screen import Rate, live_screen, plain_lines, screen
from networks.tally import Phase, Progress, Tally


def told(network: str, authorizations: int, elapsed: float) -> Progress:
    tally = Tally(network)
    for number in range(authorizations):
        tally.opened("51" if number % 10 == 0 else "00", 0.002)
    return tally.progress(Phase.RUNNING, elapsed, links=1, in_flight=0)


def text_of(*parts: object) -> str:
    console = Console(file=io.StringIO(), width=100, record=True)
    console.print(*parts)
    return console.export_text()


def test_a_rate_is_taken_between_two_different_lines() -> None:
    rate = Rate()
    assert rate.of(told("visanet", 100, 1.0)) == 100
    assert rate.of(told("visanet", 100, 1.0)) == 100
    assert rate.of(told("visanet", 400, 2.0)) == 300
    settling = told("visanet", 400, 3.0)
    settling["phase"] = Phase.SETTLING
    assert rate.of(settling) == 300


def test_each_network_has_its_column_and_each_decline_its_row() -> None:
    shown = {"visanet": told("visanet", 100, 1.0), "quicpay": None}
    text = text_of(screen(shown, {"visanet": Rate(), "quicpay": Rate()}, 1.0, 30.0))
    lines = [line.strip() for line in text.splitlines()]
    rows = {line.split("  ")[0]: line.split() for line in lines}
    assert "1 of 30 s" in text
    assert rows["throughput"][-2:] == ["100/s", "-"]
    assert rows["approved"][-2:] == ["90", "-"]
    assert rows["declined"][-2:] == rows["51 insufficient funds"][-2:] == ["10", "-"]
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_live_screen_shows_the_last_it_was_told() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, record=True)
    with live_screen(console, 30.0) as tell:
        tell({"visanet": None, "quicpay": None}, 0.0)
        tell({"visanet": told("visanet", 1234, 9.0), "quicpay": None}, 45.0)
    text = console.export_text()
    assert "1,234" in text
    assert "30 of 30 s" in text


def test_without_a_terminal_a_line_now_and_then() -> None:
    console = Console(file=io.StringIO(), width=40, record=True)
    with plain_lines(console, 30.0) as tell:
        for elapsed in (0.0, 1.0, 4.9, 5.0):
            tell({"visanet": told("visanet", 100, 1.0), "quicpay": None}, elapsed)
    lines = console.export_text().splitlines()
    assert len(lines) == 2
    assert lines[1].split()[:6] == ["5.0", "s", "visanet", "running", "100", "answered,"]
