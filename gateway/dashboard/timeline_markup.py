"""A timeline as a page: the answers first, then each step along a rail, details folded away."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.dashboard.markup import Html, table, tag, text
from gateway.inspector.annotated import Exchange, Frame
from gateway.inspector.timeline import Answer, CheckLine, EventLine, Leg, Step, Timeline, Verdict
from gateway.inspector.words import clock, when

_MARKS = {
    Verdict.PASSED: "\u2713",
    Verdict.IN_PART: "\u25d0",
    Verdict.DECLINED: "\u2717",
    Verdict.NOT_REACHED: "\u00b7",
}


def timeline_page(timeline: Timeline) -> Html:
    """All of one timeline."""
    named = [timeline.network, f"RRN {timeline.rrn}" if timeline.rrn else "no RRN"]
    return tag(
        "article",
        tag(
            "header",
            tag("h2", text(timeline.headline)),
            tag("p", text(" \u00b7 ".join(named)), class_="muted"),
            _facts(timeline.facts),
            class_=f"headline {timeline.tone}",
        ),
        tag("section", *map(_answer, timeline.answers), class_="answers", aria_label="Answers"),
        tag("ol", *map(_step, timeline.steps), class_="rail", aria_label="What happened"),
        class_="timeline",
    )


def _answer(answer: Answer) -> Html:
    details = tag("ul", *(tag("li", text(each)) for each in answer.details), class_="muted")
    return tag(
        "div",
        tag("h3", text(answer.question)),
        tag("p", text(answer.answer)),
        details if answer.details else "",
        class_="card",
    )


def _step(step: Step) -> Html:
    return tag(
        "li",
        tag(
            "div",
            tag("time", text(when(step.at)), class_="muted"),
            tag("h3", text(step.title)),
            tag("p", text(step.explanation)),
            _legs(step.legs),
            _facts(step.facts),
            _checks(step.checks),
            *(
                _exchange(each, place, len(step.exchanges))
                for place, each in enumerate(step.exchanges, 1)
            ),
            _events(step.events),
            class_="card",
        ),
        class_=str(step.tone),
    )


def _facts(facts: Sequence[tuple[str, str]]) -> Html:
    if not facts:
        return ""
    return tag(
        "dl",
        *(tag("div", tag("dt", text(name)), tag("dd", text(value))) for name, value in facts),
        class_="facts",
    )


def _legs(legs: Sequence[Leg]) -> Html:
    if not legs:
        return ""
    rows = (
        (text(each.amount), text(each.origin), text(each.to), text(each.kind), text(each.balance))
        for each in legs
    )
    return table((">amount", "from", "to", "entry", ">wallet then"), rows, "grid stack legs")


def _checks(checks: Sequence[CheckLine]) -> Html:
    """Open where one declined: that is what somebody wants to see."""
    if not checks:
        return ""
    passed = sum(each.verdict is Verdict.PASSED for each in checks)
    declined = any(each.verdict in (Verdict.DECLINED, Verdict.IN_PART) for each in checks)
    lines = (
        tag(
            "li",
            tag("span", _MARKS[each.verdict], class_="mark", aria_hidden="true"),
            tag(
                "span",
                text(each.title),
                tag("strong", text(f": {each.explanation}")) if each.explanation else "",
            ),
            tag("small", text(f"{each.by}, {each.verdict}"), class_="muted"),
            class_=str(each.verdict).replace(" ", "-"),
        )
        for each in checks
    )
    return _folded(
        f"Checks in their order: {passed} of {len(checks)} passed",
        tag("ol", *lines, class_="checks"),
        is_open=declined,
    )


def _exchange(exchange: Exchange, place: int, count: int) -> Html:
    record = exchange.record
    of = f" {place} of {count}" if count > 1 else ""
    told = (
        f"Message{of}: {record.mti} at {clock(record.at)},"
        f" answered {record.response_code} after {record.elapsed_ms:.1f} ms"
    )
    frames = tag(
        "div",
        _frame("Request", exchange.request),
        _frame("Answer", exchange.response),
        class_="frames",
    )
    return _folded(told, frames)


def _frame(title: str, frame: Frame) -> Html:
    if not frame.lines:
        return tag("div", tag("h4", text(title)), tag("p", "none was sent", class_="muted"))
    rows = (
        (
            text(each.offset),
            tag("span", text(each.field), class_=f"depth-{min(each.depth, 2)}"),
            text(each.name),
            tag("code", text(each.raw)),
            text(each.value) + (tag("small", text(each.note)) if each.note else ""),
        )
        for each in frame.lines
    )
    problems = "".join(tag("p", text(each), class_="problem") for each in frame.problems)
    head = (">byte", "field", "name", "bytes", "value")
    return tag("div", tag("h4", text(title)), problems, table(head, rows, "grid bytes"))


def _events(events: Sequence[EventLine]) -> Html:
    if not events:
        return ""
    lines = (tag("li", text(_event(each))) for each in events)
    return tag("ul", *lines, class_="muted events")


def _event(event: EventLine) -> str:
    heard = f", read by {', '.join(event.read_by)}" if event.read_by else ""
    waits = f", not yet by {', '.join(event.awaited_by)}" if event.awaited_by else ""
    return f"event {event.type} {event.event_id}{heard}{waits}"


def _folded(summary: str, *content: Html, is_open: bool = False) -> Html:
    """Opened and closed with the keyboard as well."""
    return tag("details", tag("summary", text(summary)), *content, open="open" if is_open else None)
