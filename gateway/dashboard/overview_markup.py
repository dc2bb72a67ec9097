"""The overview's parts: lamps, figures, declines, alerts and the last events."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from gateway.cloud_events import CloudEvent
from gateway.dashboard.alerts import Alert, Glance, Severity
from gateway.dashboard.context import DashboardContext
from gateway.dashboard.figures import NETWORKS, Span
from gateway.dashboard.markup import Html, link, path, table, tag, text
from gateway.dashboard.watch import LostLink
from gateway.inspector.words import clock, code_in_words, money
from gateway.records import DecisionRecord
from gateway.snapshot import LinkSnapshot
from ledger.outcomes import NAMES

_RUNBOOK = "docs/RUNBOOK.md"
_OUTCOMES_IN_WORDS = {name: name.replace("_", " ").lower() for name in NAMES.values()}
_MOST_REASONS = 8
_LATE = 10.0  # seconds that a reader may be behind before it is told
_DECLINES_SHOWN, _EVENTS_SHOWN = 8, 10


def verdict(found: Sequence[Alert], glance: Glance) -> Html:
    """One line that a glance is enough for."""
    if not found:
        count = glance.workers
        told = f"{count} gateway process{'es' if count != 1 else ''} up, books balance, links work"
        return tag("p", tag("strong", "All is well"), " ", tag("span", text(told)), class_="good")
    urgent = sum(each.severity is Severity.CRITICAL for each in found)
    tone = "bad" if urgent else "warning"
    count = len(found)
    told = f"{count} alert{'s' if count > 1 else ''}"
    first = tag("span", text(found[0].told))
    return tag("p", tag("strong", text(told)), " ", first, class_=tone)


def lamps(context: DashboardContext, now: float) -> Html:
    """Whether each part works, in words, by colour and by shape."""
    return "".join(
        [
            *(_network_lamp(each, context, now) for each in NETWORKS),
            _books_lamp(context, now),
            _approval_lamp(context.watch.last(60.0)),
            _gateway_lamp(context, now),
            _events_lamp(context, now),
        ]
    )


def _lamp(name: str, tone: str, value: str, told: Iterable[Html] = ()) -> Html:
    lines = (tag("p", each, class_="muted") for each in told)
    return tag(
        "div",
        tag("h3", tag("i", aria_hidden="true", class_="lamp"), text(name)),
        tag("p", text(value), class_="value"),
        *lines,
        class_=f"card {tone}",
        data_lamp=name,
    )


def _network_lamp(network: str, context: DashboardContext, now: float) -> Html:
    links = [each for each in context.watch.survey.links if each.network == network]
    lost = [each for each in context.watch.lost_links(now) if each.link.network == network]
    working = [each for each in links if each.state in ("connected", "signed-on")]
    told = [text(each) for each in (*_link_lines(links), *_lost_lines(lost, now))]
    if working:
        signed_on = all(each.state == "signed-on" for each in links)
        tone = "good" if signed_on and not lost else "warning"
        count = len(working)
        return _lamp(network, tone, f"{count} link{'s' if count > 1 else ''} up", told)
    if links:
        return _lamp(network, "bad", "signed off", told)
    return _lamp(network, "bad", "no link", told or ["nobody has dialled in"])


def _link_lines(links: Sequence[LinkSnapshot]) -> Iterator[str]:
    for each in links[:3]:
        yield f"{each.host}:{each.port} {each.state}"
    if len(links) > 3:
        yield f"and {len(links) - 3} more"


def _lost_lines(lost: Sequence[LostLink], now: float) -> Iterator[str]:
    for each in lost[:2]:
        yield f"{each.link.host}:{each.link.port} lost {age(now - each.at)} ago"


def _books_lamp(context: DashboardContext, now: float) -> Html:
    audit = context.audits.latest
    if audit is None:
        return _lamp("books", "unknown", "not audited yet")
    told = [
        text(f"audited {age(now - audit.at)} ago, in {audit.seconds:.1f} s"),
        text(f"{audit.report.counts.get('entries', 0):,} entries replayed"),
    ]
    if audit.clean:
        return _lamp("books", "good", "balance", told)
    first = audit.report.disagreements[0]
    wrong = f"{first.subject}: {first.check}: expected {first.expected}, found {first.found}"
    count = len(audit.report.disagreements)
    return _lamp("books", "bad", f"{count} disagree", [text(wrong), *told])


def _approval_lamp(minute: Span) -> Html:
    part, decided = minute.approval_part, sum(minute.decided.values())
    if part is None:
        return _lamp("approved", "unknown", "no requests", ["in the last minute"])
    tone = "good" if part >= 0.5 else "warning"
    return _lamp("approved", tone, f"{part:.1%}", [text(f"of {decided:,} in the last minute")])


def _gateway_lamp(context: DashboardContext, now: float) -> Html:
    survey = context.watch.survey
    if not survey.snapshots:
        return _lamp("gateway", "bad", "down", ["no process answers"])
    oldest = min(each.started_at for each in survey.snapshots)
    count = len(survey.snapshots)
    told = [text(f"up for {age(now - oldest)}")]
    if survey.unreachable:
        told.append(text(f"{len(survey.unreachable)} not answering"))
    tone = "bad" if survey.unreachable else "good"
    return _lamp("gateway", tone, f"{count} process{'es' if count > 1 else ''}", told)


def _events_lamp(context: DashboardContext, now: float) -> Html:
    ledger, live = context.ledger.latest, context.live
    if ledger is None:
        return _lamp("events", "unknown", "not looked at yet")
    behind = {each.reader: now - each.since / 1e6 for each in ledger.lags if each.since}
    worst = max(behind.values(), default=0.0)
    late = [f"{name} is {age(lag)} behind" for name, lag in sorted(behind.items()) if lag > _LATE]
    told = [text(each) for each in late or [f"{len(ledger.lags)} readers keep up"]]
    if "mqtt" not in {each.reader for each in ledger.lags}:
        return _lamp("events", "unknown", "not published", told)
    if live is not None and not live.is_connected:
        return _lamp("events", "bad", "no broker", told)
    if worst > _LATE:
        return _lamp("events", "warning", f"{age(worst)} behind", told)
    return _lamp("events", "good", "published", told)


def tiles(context: DashboardContext) -> Html:
    """How busy it is, in the last ten seconds."""
    span, survey = context.watch.last(10.0), context.watch.survey
    waiting = sum(each.ledger.waiting_count for each in survey.snapshots)
    capacity = sum(each.ledger.capacity for each in survey.snapshots)
    rows = [
        ("answers a second", f"{sum(map(span.rate, NETWORKS)):,.0f}", ""),
        *(
            (f"{each} p50 / p99, ms", _quantiles(span, each), f"{span.rate(each):,.0f} a second")
            for each in NETWORKS
        ),
        ("ledger queue", f"{waiting:,}", f"of {capacity:,}"),
        ("batch", _mean(span), "commands a commit"),
        ("commit p50 / p99, ms", _commit(span), "durable on the disk"),
    ]
    return "".join(
        tag(
            "div",
            tag("h3", text(name)),
            tag("p", text(value), class_="value"),
            tag("p", text(told), class_="muted"),
            class_="card tile",
        )
        for name, value, told in rows
    )


def _quantiles(span: Span, network: str) -> str:
    return " / ".join(milliseconds(span.quantile(network, part)) for part in (0.5, 0.99))


def _commit(span: Span) -> str:
    return " / ".join(milliseconds(span.commit.quantile(part)) for part in (0.5, 0.99))


def _mean(span: Span) -> str:
    found = span.batch_size
    return f"{found.sum / found.count:,.1f}" if found.count else "\u2013"


def declines(span: Span) -> Html:
    """By reason, the most frequent first, each with a bar."""
    most = sorted(span.declined.items(), key=lambda item: -item[1])[:_MOST_REASONS]
    if not most:
        return tag("p", "Nothing was declined in the last five minutes.", class_="muted")
    greatest = most[0][1]
    return tag(
        "ul",
        *(
            tag(
                "li",
                tag("span", text(code_in_words(reason.response_code)), class_="reason"),
                tag("small", text(_why(reason.outcome, reason.network)), class_="muted"),
                tag("meter", min="0", max=str(greatest), value=str(count), aria_hidden="true"),
                tag("b", text(f"{count:,}")),
            )
            for reason, count in most
        ),
        class_="reasons",
    )


def _why(outcome: str, network: str) -> str:
    return f"{_OUTCOMES_IN_WORDS.get(outcome, outcome.lower())}, {network}"


def alert_list(found: Sequence[Alert]) -> Html:
    """Each with its name in the runbook."""
    if not found:
        return tag("p", "None.", class_="muted")
    return tag(
        "ul",
        *(
            tag(
                "li",
                tag("strong", text(each.told)),
                tag("small", text(f"{each.severity}: {each.name} ({_RUNBOOK})"), class_="muted"),
                class_=str(each.severity),
            )
            for each in found
        ),
        class_="alerts",
    )


def last_declines(context: DashboardContext) -> Html:
    """What was declined last; each leads to its timeline."""
    rows = [decline_row(each) for each in context.declines.newest[:_DECLINES_SHOWN]]
    return _rows(("time", "why", "network", "RRN"), rows)


def last_events(context: DashboardContext) -> Html:
    """Whatever else subscribers were told last."""
    live = context.live
    if live is None or not live.is_connected:
        return tag("p", "Not connected to a broker.", class_="muted")
    rows = [_event(each) for each in live.newest[:_EVENTS_SHOWN]]
    return _rows(("time", "event", ">amount", "outcome", "network", "RRN"), rows)


def sampled(context: DashboardContext) -> Html:
    """Of what there is too much to show every one."""
    events = () if context.live is None else sorted(context.live.sampled)
    names = [*(["declines"] if context.declines.is_sampled else []), *events]
    told = f"Too many to show every one: {', '.join(names)}."
    return tag("p", text(told), class_="muted more") if names else ""


def _rows(head: Sequence[str], rows: Sequence[tuple[Html, ...]]) -> Html:
    return table(head, rows) if rows else tag("p", "None has come yet.", class_="muted")


def decline_row(record: DecisionRecord) -> tuple[Html, ...]:
    """Time, why, network and RRN; why leads to its timeline, if only by its RRN."""
    why = text(_OUTCOMES_IN_WORDS.get(record.outcome, record.outcome.lower()))
    known = (record.account_id, record.authorization_id)
    leads_to = known if record.authorization_id else (record.rrn,)
    return (
        text(clock(record.at)),
        link(path("inspect", *leads_to), why, class_="said bad")
        if any(leads_to)
        else tag("span", why, class_="said bad"),
        text(record.network),
        text(record.rrn),
    )


def _event(event: CloudEvent) -> tuple[Html, ...]:
    data = event.data
    outcome = str(data.get("outcome", ""))
    amount, currency = data.get("amount"), str(data.get("currency", ""))
    shown = money(amount, currency) if isinstance(amount, int) and currency else ""
    name = event.type.removeprefix("cardrail.").replace(".", " ")
    return (
        text(_clock(event)),
        link(_path(event), text(name)),
        text(shown),
        tag("span", text(_OUTCOMES_IN_WORDS.get(outcome, outcome)), class_=_tone(outcome)),
        text(data.get("network", "")),
        text(data.get("rrn", "")),
    )


def _clock(event: CloudEvent) -> str:
    return clock(int(event.time.timestamp() * 1_000_000))


def _path(event: CloudEvent) -> str:
    return path("inspect", event.partitionkey, event.subject)


def _tone(outcome: str) -> str:
    return "said good" if outcome in ("", "APPROVED", "APPROVED_PARTIALLY") else "said bad"


def milliseconds(seconds: float | None) -> str:
    """``1.8 ms``; a dash for nothing."""
    if seconds is None:
        return "\u2013"
    return f"{1000 * seconds:.1f}" if seconds < 0.1 else f"{1000 * seconds:,.0f}"


def age(seconds: float) -> str:
    """Roughly how long."""
    seconds = max(0.0, seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def clock_now() -> float:
    """Seconds since the epoch."""
    return time.time()
