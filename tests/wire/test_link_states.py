"""The life of a link: every pair of state and event has a row."""

from __future__ import annotations

import pytest

from networks.wire.dialects import DIALECTS
from networks.wire.errors import IllegalTransition
from networks.wire.link_states import LinkEvent, LinkState, after
from networks.wire.management import EVENTS, management_request

# fmt: off
TABLE = """
    event           connected    signed-on    signed-off   closed
    sign-on         signed-on    signed-on    signed-on    -
    sign-off        signed-off   signed-off   signed-off   -
    echo            connected    signed-on    signed-off   -
    cutover         connected    signed-on    signed-off   -
    advices-start   -            signed-on    -            -
    advices-stop    -            signed-on    -            -
    negative-list   connected    signed-on    signed-off   -
    key-exchange    -            -            -            -
    close           closed       closed       closed       -
"""
# fmt: on
HEAD, *LINES = [line.split() for line in TABLE.strip().splitlines()]
CASES = [
    (state, line[0], following)
    for line in LINES
    for state, following in zip(HEAD[1:], line[1:], strict=True)
]


def test_the_table_names_every_state_and_event() -> None:
    assert HEAD[1:] == [state.value for state in LinkState]
    assert {line[0] for line in LINES} == {event.value for event in LinkEvent}


@pytest.mark.parametrize(("state", "event", "following"), CASES)
def test_what_follows(state: str, event: str, following: str) -> None:
    if following != "-":
        assert after(LinkState(state), LinkEvent(event)) == following
        return
    with pytest.raises(IllegalTransition) as raised:
        after(LinkState(state), LinkEvent(event))
    assert str(raised.value) == f"{event} is not allowed while the link is {state}"
    assert raised.value.response_code == "12"


def test_every_management_code_of_a_dialect_has_an_event() -> None:
    for dialect in DIALECTS.values():
        assert EVENTS[dialect.name].keys() == dialect.management.purposes.keys()
        codes = dialect.management
        named = (codes.sign_on, codes.sign_off, codes.echo, codes.cutover)
        assert [EVENTS[dialect.name][code] for code in named] == [
            LinkEvent.SIGN_ON,
            LinkEvent.SIGN_OFF,
            LinkEvent.ECHO,
            LinkEvent.CUTOVER,
        ]


def test_a_management_request_carries_its_time_in_gmt() -> None:
    request = management_request("301", 7, 1_795_310_445.9)

    assert (request.mti, request.transmission, request.stan) == ("0800", "1122012045", "000007")
