"""Three truths compared: what the networks believe, what the gateway answered, what the ledger has.

Each party is reduced to claims about the same keys. A claim says only what that party can know;
``None`` is silence. Two parties disagree where both speak and say different things, and a party
that is silent about money counts as saying that there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec

Key: TypeAlias = tuple[str, str]  # network, RRN
MONEY = ("held", "cleared", "credited")


class Claim(msgspec.Struct, frozen=True):
    """What one party says of one authorization; amounts in minor units.

    Attributes
    ----------
    approved, approval_code
        The answer to it.
    held, cleared, credited
        Held now, posted to the cardholder's debit, and to the credit.
    """

    approved: bool | None = None
    approval_code: str | None = None
    held: int | None = None
    cleared: int | None = None
    credited: int | None = None


class Truth(msgspec.Struct, frozen=True):
    """What one party says.

    Attributes
    ----------
    party
        "network", "gateway" or "ledger".
    claims
        By network and RRN.
    speaks_of_money
        Whether its silence about an authorization means that nothing is held or posted for it.
    """

    party: str
    claims: Mapping[Key, Claim]
    speaks_of_money: bool


class Disagreement(msgspec.Struct, frozen=True):
    """One attribute of one authorization on which two parties differ."""

    network: str
    rrn: str
    attribute: str
    said: Mapping[str, str]

    def __str__(self) -> str:
        told = ", ".join(f"{party} says {value}" for party, value in self.said.items())
        return f"{self.network} {self.rrn} {self.attribute}: {told}"


class Totals(msgspec.Struct, frozen=True):
    """One party's sums for one network; ``None`` where it cannot know."""

    approved: int
    held_count: int | None = None
    held: int | None = None
    cleared: int | None = None
    credited: int | None = None


def disagreements(truths: Iterable[Truth]) -> list[Disagreement]:
    """Every attribute of every authorization on which the parties differ, in order of key."""
    parties = list(truths)
    keys = sorted({key for truth in parties for key in truth.claims})
    return [found for key in keys for found in _about(key, parties)]


def totals(truth: Truth, network: str) -> Totals:
    """The sums of one party's claims about `network`."""
    claims = [claim for key, claim in truth.claims.items() if key[0] == network]
    approved = sum(claim.approved is True for claim in claims)
    if not truth.speaks_of_money:
        return Totals(approved)
    return Totals(
        approved,
        sum((claim.held or 0) > 0 for claim in claims),
        sum(claim.held or 0 for claim in claims),
        sum(claim.cleared or 0 for claim in claims),
        sum(claim.credited or 0 for claim in claims),
    )


def _about(key: Key, parties: list[Truth]) -> Iterable[Disagreement]:
    for attribute in Claim.__struct_fields__:
        said = {
            truth.party: value
            for truth in parties
            if (value := _saying(truth, key, attribute)) is not None
        }
        if len(set(said.values())) > 1:
            shown = {party: str(value) or "nothing" for party, value in said.items()}
            yield Disagreement(key[0], key[1], attribute, shown)


def _saying(truth: Truth, key: Key, attribute: str) -> object:
    claim = truth.claims.get(key)
    if claim is not None:
        return getattr(claim, attribute)
    return 0 if truth.speaks_of_money and attribute in MONEY else None
