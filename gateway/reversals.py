"""Reversals (0400, 0420): a hold is released, wholly or down to what was really used.

Also the gateway's own: an approval that was decided after its request had been answered 91.
"""

from __future__ import annotations

from gateway.amounts import billed, replacement
from gateway.case import Case
from gateway.clearing import posting_key
from gateway.common import common, common_after, reference_to
from gateway.references import reference_to_original
from ledger.commands import TRACE_END, Authorize, Clear, Decision, Reverse
from ledger.money import Money
from networks.wire.messages import Reversal

_SINGLE_MESSAGE = "02"


def reverse(request: Reversal, case: Case) -> Reverse:
    """The command for `request`."""
    return Reverse(
        **common(request, case),
        reference=reference_to_original(request, request.original),
        amount=billed(request),
        replacement=replacement(request),
    )


def names_single_message(request: Reversal) -> bool:
    """Whether the original was held and posted at once (DE 90: 0200)."""
    return request.original is not None and request.original.mti.startswith(_SINGLE_MESSAGE)


def give_back(reversed_: Reverse, decision: Decision) -> Clear | None:
    """Takes back what a single message has posted, which releasing its hold cannot undo.

    Its key is the original's, with what stays of it: a reversal and its advice, or a repeat, pay
    once.
    """
    if not decision.authorization_id or decision.amount:
        return None  # there was none, or it was held and not yet posted
    stays = reversed_.replacement or Money(0, reversed_.amount.currency)
    key = f"back:{decision.authorization_id}:{stays.amount}"
    return Clear(
        **common_after(reversed_, key),
        reference=reversed_.reference,
        amount=stays,
        undoes=posting_key(decision.authorization_id),
    )


def is_of_single_message(taken_back: Reverse) -> bool:
    """Whether the gateway's own reversal is of a request that holds and posts at once."""
    return taken_back.details["mti"].startswith(_SINGLE_MESSAGE)


def take_back(late: Authorize) -> Reverse:
    """The reversal of an approval that its network never heard of: nobody else will send one."""
    named = common_after(late, withdrawal_key(late))
    named["details"] = {**late.details, "reason": "decided after the deadline"}
    return Reverse(
        **named,
        reference=reference_to(late.origin, late.approval_code),
        amount=late.amount,
        withdraws=True,
    )


def withdrawal_key(late: Authorize) -> str:
    """The request key of the gateway's own reversal; it has no trace, for nothing names it."""
    return "late:" + late.origin.request_key.replace(TRACE_END, ":")
