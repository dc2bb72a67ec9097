"""Every pair of state and verb: the legal ones by name, all others refused."""

from __future__ import annotations

from itertools import product

import pytest

from ledger.states import HoldState, IllegalTransition, Verb, after

LEGAL = {
    # state     verb           state after
    ("pending", "increase"): "pending",
    ("pending", "reduce"): "pending",
    ("pending", "replace"): "pending",
    ("pending", "void"): "voided",
    ("pending", "post part"): "pending",
    ("pending", "post last"): "posted",
    ("pending", "expire"): "expired",
    ("posted", "post late"): "posted",
    ("voided", "post late"): "posted",
    ("expired", "post late"): "posted",
    ("voided", "hold again"): "pending",
    ("expired", "hold again"): "pending",
}


@pytest.mark.parametrize(("state", "verb"), list(product(HoldState, Verb)))
def test_life_of_a_hold(state: HoldState, verb: Verb) -> None:
    expected = LEGAL.get((state, verb))
    if expected is None:
        with pytest.raises(IllegalTransition, match=f"cannot {verb} a hold that is {state}"):
            after(state, verb)
    else:
        assert after(state, verb) == expected
