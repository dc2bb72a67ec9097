"""The client's record against the ledger: what was lost, doubled, or is told in two ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

import msgspec

from cardrail.crashtest.books import Books, RecordKey, Stored
from cardrail.crashtest.client import Asked, Client, Differing
from cardrail.crashtest.system import POOR, POOR_WALLETS, RICH, WALLETS
from cardrail.truth_sources import network_truth
from cardrail.truths import MONEY, Disagreement, disagreements
from networks.beliefs import HOLDING, billed, purpose_of
from networks.traffic import Purpose
from networks.wire.pan import synthetic_pan

_VERBS: Mapping[str, str] = MappingProxyType(
    {"010": "authorize", "012": "advise", "022": "clear", "040": "reverse", "042": "reverse"}
)  # by version and class of the MTI
_PARTIAL = "10"
_WALLET_BY_PAN = {synthetic_pan(number): number for number in range(1, WALLETS + 1)}


class Kind(StrEnum):
    """What is wrong."""

    LOST = "lost"
    DOUBLED = "doubled"
    DIFFERING = "differing"  # a request was answered in two ways
    UNBALANCED = "unbalanced"  # the books themselves do not add up


class Finding(msgspec.Struct, frozen=True):
    """One thing on which client and ledger differ; no PAN in it."""

    kind: Kind
    subject: str
    told: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}: {self.told}"


def compare_requests(clients: Sequence[Client], books: Books) -> Iterator[Finding]:
    """Every request against the answers stored for it. Holds at any time when nothing is written,
    even while some requests have no answer yet: whether those were decided is not known.
    """
    asked: defaultdict[RecordKey, list[Asked]] = defaultdict(list)
    for client in clients:
        for each in client.requests:
            asked[_key(client, each)].append(each)
    for key, stored in books.stored.items():
        count = len(asked.get(key, ()))
        if len(stored) > count:
            yield Finding(Kind.DOUBLED, _told(key), f"asked {count} times, stored {len(stored)}")
    for key, requests in asked.items():
        yield from _compare(key, requests, books.stored.get(key, ()))


def count_unheard(clients: Sequence[Client], books: Books) -> int:
    """Requests that were decided, and whose answer was never read."""
    return sum(
        asked.response is None and _key(client, asked) in books.stored
        for client in clients
        for asked in client.requests
    )


def compare_money(clients: Sequence[Client], books: Books) -> Iterator[Finding]:
    """What is held, cleared and credited, by authorization and by wallet, once all is decided."""
    believed = network_truth(belief for client in clients for belief in client.beliefs())
    yield from map(_finding, disagreements([believed, books.truth]))
    expected = dict.fromkeys(_WALLET_BY_PAN.values(), RICH)
    expected.update(dict.fromkeys(range(1, POOR_WALLETS + 1), POOR))
    for client in clients:
        for asked in client.requests:
            wallet = _WALLET_BY_PAN.get(asked.request.pan)
            if wallet is not None:
                expected[wallet] += _moved(asked)
    for wallet, amount in expected.items():
        found = books.posted.get(wallet, 0)
        if found != amount:
            kind = Kind.LOST if found > amount else Kind.DOUBLED
            told = f"the clearings leave {amount} posted, the ledger has {found}"
            yield Finding(kind, f"wallet {wallet}", told)


def faults(books: Books) -> Iterator[Finding]:
    """What the audit has found."""
    for each in books.audit.disagreements:
        told = f"{each.check}, expected {each.expected}, found {each.found}"
        yield Finding(Kind.UNBALANCED, each.subject, told)


def told_differently(client: Client, differing: Differing) -> Finding:
    """A repeat that was not answered as the first time."""
    first, again = differing.asked.response, differing.response
    assert first is not None
    told = (
        f"answered {first.response_code} {first.approval_code} and, repeated,"
        f" {again.response_code} {again.approval_code}"
    )
    return Finding(Kind.DIFFERING, _told(_key(client, differing.asked)), told)


def _compare(
    key: RecordKey, requests: Sequence[Asked], stored: Sequence[Stored]
) -> Iterator[Finding]:
    acknowledged = [each for each in requests if each.acknowledged]
    kept = [each for each in stored if each.approved]
    if len(kept) < len(acknowledged):
        told = f"acknowledged {len(acknowledged)} times, stored {len(kept)}"
        yield Finding(Kind.LOST, _told(key), told)
        return
    for asked in acknowledged:
        if asked.is_approval:
            yield from _compare_approval(key, asked, kept[0])


def _compare_approval(key: RecordKey, asked: Asked, stored: Stored) -> Iterator[Finding]:
    response, plan = asked.response, asked.life.plan
    assert response is not None
    if response.approval_code != stored.approval_code:
        told = f"approved as {response.approval_code}, stored as {stored.approval_code}"
        yield Finding(Kind.LOST, _told(key), told)
    promised = billed(response if response.response_code == _PARTIAL else asked.request)
    is_chosen_by_issuer = plan.completion is not None  # the hold of a fuel check
    if stored.amount != promised and not is_chosen_by_issuer:
        kind = Kind.LOST if stored.amount < promised else Kind.DOUBLED
        yield Finding(kind, _told(key), f"approved {promised}, stored {stored.amount}")
    if plan.purpose in HOLDING and not stored.holds:
        yield Finding(Kind.LOST, _told(key), "approved, and no hold was ever made")


def _moved(asked: Asked) -> int:
    """What an acknowledged clearing does to its wallet, minor units."""
    if _VERBS[asked.request.mti[:3]] != "clear" or not asked.acknowledged:
        return 0
    amount = billed(asked.request)
    return amount if purpose_of(asked.request) is Purpose.CREDIT else -amount


def _finding(found: Disagreement) -> Finding:
    told = ", ".join(f"{party} says {value}" for party, value in found.said.items())
    return Finding(_kind(found), f"{found.network} {found.rrn} {found.attribute}", told)


def _kind(found: Disagreement) -> Kind:
    if found.attribute not in MONEY:
        return Kind.DIFFERING
    is_less = int(found.said["ledger"]) < int(found.said["network"])
    return Kind.LOST if is_less else Kind.DOUBLED


def _key(client: Client, asked: Asked) -> RecordKey:
    return client.network.name, asked.request.rrn, _VERBS[asked.request.mti[:3]]


def _told(key: RecordKey) -> str:
    network, rrn, verb = key
    return f"{network} {rrn} {verb}"
