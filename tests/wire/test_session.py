"""The life of a link, each end in memory, for both dialects."""

from __future__ import annotations

import msgspec
import pytest

from networks.wire.canonical import canonical_for
from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS, VISANET
from networks.wire.errors import (
    Crowded,
    DuplicateKey,
    EncodeError,
    FrameCut,
    FrameStalled,
    FrameTooLong,
    IllegalTransition,
    InFlightLimit,
    LinkClosed,
    NotAwaited,
    NotSignedOn,
    PeerSilent,
    WireError,
)
from networks.wire.link_states import LinkEvent, LinkState
from networks.wire.matching import Unmatched
from networks.wire.messages import CardRequest, Message, NetworkManagement, Reversal
from networks.wire.respond import respond
from networks.wire.session import Session
from networks.wire.session_events import (
    AnswerReceived,
    AnswerUnmatched,
    Event,
    LinkBroken,
    ManagementReceived,
    MessageRefused,
    RejectReceived,
    RequestLost,
    RequestReceived,
    RequestsDropped,
    RequestTimedOut,
    StateChanged,
)
from networks.wire.session_limits import Probe, SessionLimits
from tests.wire.pairs import (
    NOW,
    PAN,
    STATIONS,
    ConnectionPair,
    issuer_session,
    network_session,
    purchase,
    read,
)
from tests.wire.vectors import VECTORS, Vector, vector


@pytest.fixture(params=DIALECTS.values(), ids=list(DIALECTS))
def dialect(request: pytest.FixtureRequest) -> Dialect:
    chosen: Dialect = request.param
    return chosen


@pytest.fixture
def pair(dialect: Dialect) -> ConnectionPair:
    return ConnectionPair.of(dialect)


def keep_alive(dialect: Dialect) -> bytes:
    return bytes(dialect.framing.prefix_bytes)


def fields_of(dialect: Dialect, frame: bytes) -> dict[str, str]:
    """The elements of one frame that a session has sent."""
    _, message = dialect.header.split(frame[dialect.framing.prefix_bytes :])
    return dialect.codec.decode(message)


def errors_of(
    events: list[Event], kind: type[MessageRefused | LinkBroken]
) -> list[type[WireError]]:
    return [type(event.error) for event in events if isinstance(event, kind)]


# Golden conversations


# fmt: off
CONVERSATIONS = [
    ("visanet", "sign_on", "sign_on_answer", LinkState.SIGNED_ON),
    ("quicpay", "logon", "logon_answer", LinkState.SIGNED_ON),
]
# fmt: on


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize(("name", "asked", "answered", "state"), CONVERSATIONS)
def test_management_is_answered_byte_for_byte_however_it_arrives(
    name: str, asked: str, answered: str, state: LinkState, step: int
) -> None:
    session, frame = issuer_session(DIALECTS[name]), vector(name, asked).frame
    for begin in range(0, len(frame), step):
        session.receive_data(frame[begin : begin + step], NOW)

    assert session.data_to_send() == vector(name, answered).frame
    assert session.state is state


@pytest.mark.parametrize("golden", VECTORS, ids=str)
def test_every_vector_is_taken_byte_by_byte_as_in_one_piece(golden: Vector) -> None:
    whole, split = issuer_session(golden.dialect), issuer_session(golden.dialect)
    events = whole.receive_data(golden.frame, NOW)
    pieces = [event for byte in golden.frame for event in split.receive_data(bytes([byte]), NOW)]

    assert pieces == events
    assert whole.data_to_send() == split.data_to_send()
    assert not any(isinstance(event, (MessageRefused, LinkBroken)) for event in events)
    assert [type(event) for event in events] == {
        "08": [ManagementReceived] + [StateChanged] * (golden.fields.get("70") in ("071", "001")),
        "x1": [AnswerUnmatched],
    }.get("x1" if golden.fields["t"][2] in "13" else golden.fields["t"][:2], [RequestReceived])


def test_many_frames_in_one_piece_are_many_events(dialect: Dialect) -> None:
    session = issuer_session(dialect)
    name = "contactless_purchase" if dialect is VISANET else "tap"
    events = session.receive_data(vector(dialect.name, name).frame * 3, NOW)

    assert [type(event) for event in events] == [RequestReceived] * 3


def test_a_keep_alive_is_echoed(dialect: Dialect) -> None:
    session = issuer_session(dialect)

    assert session.receive_data(keep_alive(dialect) * 2, NOW) == []
    assert session.data_to_send() == keep_alive(dialect) * 2


# Requests and answers


def test_a_request_is_answered_across_the_link(pair: ConnectionPair) -> None:
    asked = purchase(pair.network.dialect)
    sent = pair.network.request(asked, pair.now)
    pair.exchange()
    (event,) = pair.requests()
    assert event.message == asked
    assert sent == pair.issuer.dialect.codec.encode(event.message.elements)

    pair.now += 0.25
    answer = respond(asked, response_code="00", approval_code="A1B2C3")
    frame = pair.issuer.respond(event, answer)
    pair.exchange()

    (received,) = pair.at_network
    assert isinstance(received, AnswerReceived)
    assert received.request is asked
    assert received.elapsed_seconds == 0.25
    assert frame.endswith(received.response_bytes)
    assert getattr(received.response, "approval_code", "") == "A1B2C3"
    assert PAN not in repr(received) + repr(event)


def test_both_ends_may_use_the_same_stan_at_once(pair: ConnectionPair) -> None:
    pair.network.echo(pair.now)
    pair.issuer.echo(pair.now)
    pair.exchange()

    for events in (pair.at_network, pair.at_issuer):
        assert {type(event) for event in events} == {AnswerReceived, ManagementReceived}


def test_a_request_is_answered_once(pair: ConnectionPair) -> None:
    asked = purchase(pair.network.dialect)
    pair.network.request(asked, pair.now)
    pair.exchange()
    (event,) = pair.requests()
    pair.issuer.respond(event, respond(asked, response_code="00"))

    with pytest.raises(NotAwaited, match="awaits no answer"):
        pair.issuer.respond(event, respond(asked, response_code="00"))


def test_an_answer_that_cannot_be_encoded_leaves_the_request_waiting(pair: ConnectionPair) -> None:
    asked = purchase(pair.network.dialect)
    pair.network.request(asked, pair.now)
    pair.exchange()
    (event,) = pair.requests()

    with pytest.raises(EncodeError):
        pair.issuer.respond(event, respond(asked, response_code="00", amount=-1))
    pair.issuer.respond(event, respond(asked, response_code="96"))


def test_a_late_answer_is_explained(pair: ConnectionPair) -> None:
    asked = purchase(pair.network.dialect)
    pair.network.request(asked, pair.now, timeout_seconds=4.0)
    pair.exchange()
    pair.tick(3.9)
    assert pair.at_network == []
    pair.tick(0.1)
    assert pair.at_network == [RequestTimedOut(asked)]

    pair.now += 1.5
    pair.issuer.respond(pair.requests()[0], respond(asked, response_code="00"))
    pair.exchange()

    late = pair.at_network[-1]
    assert isinstance(late, AnswerUnmatched)
    assert late.reason is Unmatched.LATE
    assert late.late_seconds == pytest.approx(1.5)


def test_an_answer_is_never_answered(dialect: Dialect) -> None:
    name = "approval" if dialect is VISANET else "tap_approved"
    session = network_session(dialect)
    (event,) = session.receive_data(vector(dialect.name, name).frame, NOW)

    assert isinstance(event, AnswerUnmatched)
    assert event.reason is Unmatched.NEVER_SENT
    assert session.data_to_send() == b""


def test_two_requests_that_answers_cannot_tell_apart_are_one_too_many(pair: ConnectionPair) -> None:
    asked = purchase(pair.network.dialect)
    pair.network.request(asked, pair.now)
    first = pair.network.data_to_send()
    with pytest.raises(DuplicateKey):
        pair.network.request(msgspec.structs.replace(asked, mti="0101"), pair.now)

    assert first
    assert pair.network.data_to_send() == b""


def test_our_own_requests_are_bounded(dialect: Dialect) -> None:
    session = network_session(dialect, limits=SessionLimits(outgoing=1))
    session.request(purchase(dialect), NOW)

    with pytest.raises(InFlightLimit, match="1 requests are already unanswered"):
        session.request(purchase(dialect, stan="000999"), NOW)
    session.echo(NOW)  # management is not counted


def test_the_peer_s_requests_are_bounded_and_answered_91_early(dialect: Dialect) -> None:
    pair = ConnectionPair(
        network_session(dialect), issuer_session(dialect, limits=SessionLimits(incoming=2))
    )
    for number in range(3):
        pair.network.request(purchase(dialect, stan=f"{number:06d}"), pair.now)
    pair.exchange()

    assert len(pair.requests()) == 2
    assert errors_of(pair.at_issuer, MessageRefused) == [InFlightLimit]
    (answer,) = pair.at_network
    assert isinstance(answer, AnswerReceived)
    assert getattr(answer.response, "response_code", "") == "91"

    pair.issuer.respond(pair.requests()[0], respond(purchase(dialect), response_code="00"))
    pair.network.request(purchase(dialect, stan="000009"), pair.now)
    pair.exchange()
    assert len(pair.requests()) == 3


def test_a_request_that_is_never_answered_keeps_its_place_for_a_time_only(dialect: Dialect) -> None:
    limits = SessionLimits(incoming=2, answer_seconds=60.0)
    pair = ConnectionPair(network_session(dialect), issuer_session(dialect, limits=limits))

    def ask(number: int) -> None:
        pair.network.request(purchase(dialect, stan=f"{number:06d}"), pair.now)
        pair.exchange()

    ask(1)
    pair.now += 1.0
    ask(2)
    pair.now += 58.9
    ask(3)
    assert len(pair.requests()) == 2  # the first has its place for sixty seconds
    pair.now += 0.1
    ask(4)
    ask(5)
    first, second, fourth = pair.requests()

    answer = respond(purchase(dialect), response_code="00")
    with pytest.raises(NotAwaited):
        pair.issuer.respond(first, answer)
    pair.issuer.respond(second, answer)
    pair.issuer.respond(fourth, answer)


# Network management


@pytest.mark.parametrize("asking_end", ["network", "issuer"])
def test_signing_on_and_off_is_agreed_whoever_asks(pair: ConnectionPair, asking_end: str) -> None:
    from_network = asking_end == "network"
    asking = pair.network if from_network else pair.issuer
    for act, state in (
        (asking.sign_on, LinkState.SIGNED_ON),
        (asking.cutover, LinkState.SIGNED_ON),
        (asking.echo, LinkState.SIGNED_ON),
        (asking.sign_off, LinkState.SIGNED_OFF),
        (asking.sign_on, LinkState.SIGNED_ON),
    ):
        act(pair.now)
        pair.exchange()
        assert (pair.network.state, pair.issuer.state) == (state, state)

    asked, answered = pair.at_network, pair.at_issuer
    if not from_network:
        asked, answered = answered, asked
    changes = [event for event in asked if isinstance(event, StateChanged)]
    assert changes == [event for event in answered if isinstance(event, StateChanged)]
    assert [change.cause for change in changes] == [
        LinkEvent.SIGN_ON,
        LinkEvent.SIGN_OFF,
        LinkEvent.SIGN_ON,
    ]
    seen = [event.event for event in answered if isinstance(event, ManagementReceived)]
    assert seen[1:3] == [LinkEvent.CUTOVER, LinkEvent.ECHO]


@pytest.mark.parametrize(
    ("name", "code", "error"),
    [
        ("visanet", "161", "key-exchange is not allowed while the link is connected"),
        ("visanet", "078", "advices-start is not allowed while the link is connected"),
        ("visanet", "999", "an unknown management code is not allowed while the link is connected"),
        ("quicpay", "999", "an unknown management code is not allowed while the link is connected"),
    ],
)
def test_illegal_management_is_answered_12(name: str, code: str, error: str) -> None:
    session = issuer_session(DIALECTS[name])
    asked = NetworkManagement(
        mti="0800", transmission="1122013000", stan="000001", management_code=code
    )
    events = session.receive_data(frame_of(DIALECTS[name], asked), NOW)

    (refused,) = events
    assert isinstance(refused, MessageRefused)
    assert (str(refused.error), refused.was_answered) == (error, True)
    answer = fields_of(DIALECTS[name], session.data_to_send())
    assert (answer["t"], answer["39"], answer["70"]) == ("0810", "12", code)
    assert session.state is LinkState.CONNECTED


def frame_of(dialect: Dialect, message: Message) -> bytes:
    """`message` as the network would send it."""
    network, issuer = STATIONS[dialect.name]
    data = dialect.codec.encode(canonical_for(dialect).write(message))
    return dialect.framing.wrap(dialect.header.request(network, issuer, len(data)) + data)


def test_advice_recovery_is_for_a_signed_on_link() -> None:
    pair = ConnectionPair.of(VISANET)
    start = NetworkManagement(
        mti="0800", transmission="1122013000", stan="000001", management_code="078"
    )
    with pytest.raises(IllegalTransition):
        pair.network.request(start, pair.now)

    pair.network.sign_on(pair.now)
    pair.exchange()
    pair.network.request(start, pair.now)
    pair.exchange()
    assert ManagementReceived in [type(event) for event in pair.at_issuer]
    assert pair.issuer.state is LinkState.SIGNED_ON


def test_an_unknown_management_code_may_be_tried(pair: ConnectionPair) -> None:
    odd = NetworkManagement(
        mti="0800", transmission="1122013000", stan="000001", management_code="999"
    )
    pair.network.request(odd, pair.now)
    pair.exchange()

    (answer,) = pair.at_network
    assert isinstance(answer, AnswerReceived)
    assert getattr(answer.response, "response_code", "") == "12"


def test_a_refused_sign_on_changes_nothing(dialect: Dialect) -> None:
    session = issuer_session(dialect)
    session.sign_on(NOW)
    asked = fields_of(dialect, session.data_to_send())
    refusal = NetworkManagement(
        mti="0810",
        transmission=asked["7"],
        stan=asked["11"],
        management_code=asked["70"],
        response_code="12",
    )
    events = session.receive_data(frame_of(dialect, refusal), NOW)

    assert [type(event) for event in events] == [AnswerReceived]
    assert session.state is LinkState.CONNECTED


def test_what_has_become_illegal_meanwhile_is_void() -> None:
    pair = ConnectionPair.of(VISANET)
    pair.network.sign_on(pair.now)
    pair.exchange()
    pair.network.request(
        NetworkManagement(
            mti="0800", transmission="1122013000", stan="000077", management_code="078"
        ),
        pair.now,
    )
    start = pair.network.data_to_send()
    pair.issuer.sign_off(pair.now)
    pair.network.receive_data(pair.issuer.data_to_send(), pair.now)
    pair.issuer.receive_data(start, pair.now)
    pair.exchange()

    assert pair.network.state is LinkState.SIGNED_OFF


@pytest.mark.parametrize("require_sign_on", [True, False])
def test_requests_before_a_sign_on_are_the_caller_s_choice(
    dialect: Dialect,
    require_sign_on: bool,
) -> None:
    pair = ConnectionPair(
        network_session(dialect), issuer_session(dialect, require_sign_on=require_sign_on)
    )
    pair.network.request(purchase(dialect), pair.now)
    pair.exchange()

    assert len(pair.requests()) == (0 if require_sign_on else 1)
    assert errors_of(pair.at_issuer, MessageRefused) == [NotSignedOn] * require_sign_on


def test_after_a_sign_off_requests_are_answered_91_and_none_may_be_sent(
    pair: ConnectionPair,
) -> None:
    asked = purchase(pair.network.dialect)
    frame = frame_of(pair.network.dialect, asked)
    pair.network.sign_off(pair.now)
    pair.exchange()

    with pytest.raises(NotSignedOn, match="not signed on"):
        pair.network.request(asked, pair.now)
    events = pair.issuer.receive_data(frame, pair.now)
    assert errors_of(events, MessageRefused) == [NotSignedOn]
    assert fields_of(pair.issuer.dialect, pair.issuer.data_to_send())["39"] == "91"


# Silence


def test_an_idle_link_is_probed_and_lives_while_echoes_are_answered(pair: ConnectionPair) -> None:
    for _ in range(5):
        pair.tick(0.0)
        pair.tick(30.0)
        assert pair.network.next_deadline() is not None
        pair.exchange()

    assert all(isinstance(event, ManagementReceived) for event in pair.at_network)
    assert len(pair.at_network) == 5
    assert pair.network.state is LinkState.CONNECTED


@pytest.mark.parametrize("probe", Probe)
def test_a_probe_without_an_answer_breaks_the_link(dialect: Dialect, probe: Probe) -> None:
    limits = SessionLimits(idle_seconds=20.0, probe_seconds=3.0, probe=probe)
    session = issuer_session(dialect, limits=limits)
    session.tick(NOW)
    session.request(purchase(dialect), NOW, timeout_seconds=60.0)
    session.data_to_send()
    assert session.next_deadline() == NOW + 20
    assert session.tick(NOW + 19) == []
    assert session.data_to_send() == b""
    assert session.tick(NOW + 20) == []
    assert session.data_to_send()
    assert session.next_deadline() == NOW + 23
    assert session.tick(NOW + 22) == []
    events = session.tick(NOW + 23)

    assert [type(event) for event in events] == [LinkBroken, RequestLost, StateChanged]
    assert errors_of(events, LinkBroken) == [PeerSilent]
    assert "an echo was not answered within 3 s" in str(getattr(events[0], "error", ""))
    assert session.next_deadline() is None
    assert session.tick(NOW + 99) == []


def test_a_poll_that_comes_back_is_not_echoed_again(dialect: Dialect) -> None:
    limits = SessionLimits(idle_seconds=20.0, probe=Probe.POLL)
    pair = ConnectionPair(
        network_session(dialect, limits=limits), issuer_session(dialect, limits=limits)
    )
    pair.tick(0.0)
    pair.tick(20.0)  # both poll at once
    pair.exchange()

    assert pair.at_network == pair.at_issuer == []
    assert pair.network.next_deadline() == pair.now + 20


def test_an_echo_that_is_rejected_is_a_sign_of_life() -> None:
    session = issuer_session(VISANET, limits=SessionLimits(idle_seconds=20.0))
    session.tick(NOW)
    session.tick(NOW + 20)
    echo = session.data_to_send()[4:]
    reject = VISANET.header.reject(echo, "0134", "000000")
    assert reject is not None
    events = session.receive_data(VISANET.framing.wrap(reject), NOW + 21)

    assert [type(event) for event in events] == [RejectReceived]
    assert session.tick(NOW + 40) == []
    assert session.state is LinkState.CONNECTED


def test_a_probe_whose_stan_is_taken_uses_the_next(dialect: Dialect) -> None:
    session = issuer_session(dialect, limits=SessionLimits(idle_seconds=0.0))
    session.request(
        NetworkManagement(
            mti="0800", transmission="1122012045", stan="000001", management_code="301"
        ),
        NOW,
    )
    session.data_to_send()
    session.tick(NOW)
    assert session.data_to_send() == b""
    session.tick(NOW)
    assert fields_of(dialect, session.data_to_send())["11"] == "000002"


def test_a_link_without_an_idle_limit_has_no_deadline(dialect: Dialect) -> None:
    session = issuer_session(dialect, limits=SessionLimits(idle_seconds=None))
    session.tick(NOW)

    assert session.next_deadline() is None


def test_a_frame_that_is_not_completed_breaks_the_link(dialect: Dialect) -> None:
    session = issuer_session(dialect, limits=SessionLimits(frame_seconds=2.0))
    name = "contactless_purchase" if dialect is VISANET else "tap"
    frame = vector(dialect.name, name).frame
    session.receive_data(frame[:10], NOW)
    session.receive_data(frame[10:20], NOW + 1.5)  # more of the same frame is no new frame
    assert session.next_deadline() == NOW + 2.0
    assert session.tick(NOW + 1.9) == []
    events = session.tick(NOW + 2.0)

    assert errors_of(events, LinkBroken) == [FrameStalled]
    assert "frame not completed within 2 s, 20 bytes received" in str(
        getattr(events[0], "error", "")
    )


def test_each_frame_has_its_own_time(dialect: Dialect) -> None:
    session = issuer_session(dialect, limits=SessionLimits(frame_seconds=2.0))
    name = "contactless_purchase" if dialect is VISANET else "tap"
    frame = vector(dialect.name, name).frame
    session.receive_data(frame[:10], NOW)
    session.receive_data(frame[10:] + frame[:10], NOW + 1.5)

    assert session.next_deadline() == NOW + 3.5
    session.receive_data(frame[10:], NOW + 1.6)
    assert session.next_deadline() == NOW + 31.6


# The end


def test_requests_that_wait_when_the_link_ends_are_lost(dialect: Dialect) -> None:
    session = network_session(dialect)
    requests = [purchase(dialect, stan=f"{number:06d}") for number in range(2)]
    for asked in requests:
        session.request(asked, NOW)
    events = session.receive_eof(NOW)

    assert events == [
        *(RequestLost(asked) for asked in requests),
        StateChanged(LinkState.CONNECTED, LinkState.CLOSED, LinkEvent.CLOSE),
    ]
    assert session.receive_eof(NOW) == session.close() == []


def test_a_probe_that_waits_when_the_link_ends_is_nobody_s_loss(dialect: Dialect) -> None:
    session = network_session(dialect, limits=SessionLimits(idle_seconds=0.0))
    session.tick(NOW)

    assert [type(event) for event in session.close()] == [StateChanged]


def test_a_stream_that_ends_within_a_frame_is_broken(dialect: Dialect) -> None:
    session = issuer_session(dialect)
    session.receive_data(b"\x00", NOW)
    events = session.receive_eof(NOW)

    assert errors_of(events, LinkBroken) == [FrameCut]
    assert "ended within a frame, 1 bytes received" in str(getattr(events[0], "error", ""))


def test_nothing_passes_a_closed_link(pair: ConnectionPair) -> None:
    asked = purchase(pair.network.dialect)
    frame = frame_of(pair.network.dialect, asked)
    pair.network.request(asked, pair.now)
    pair.exchange()
    (event,) = pair.requests()
    pair.issuer.close()

    assert pair.issuer.receive_data(frame, pair.now) == []
    with pytest.raises(LinkClosed, match="the link is closed"):
        pair.issuer.request(asked, pair.now)
    with pytest.raises(LinkClosed):
        pair.issuer.respond(event, respond(asked, response_code="00"))


def test_the_frames_before_an_oversize_one_still_count(dialect: Dialect) -> None:
    session = issuer_session(dialect)
    name = "contactless_purchase" if dialect is VISANET else "tap"
    events = session.receive_data(vector(dialect.name, name).frame + b"\xff\xff\x00\x00", NOW)

    assert [type(event) for event in events] == [RequestReceived, LinkBroken, StateChanged]
    assert errors_of(events, LinkBroken) == [FrameTooLong]


# What cannot be read


def broken_request(dialect: Dialect, **elements: str) -> bytes:
    """The purchase with elements that the codec carries and the canonical form refuses."""
    data = dialect.codec.encode({**purchase(dialect).elements, **elements})
    network, issuer = STATIONS[dialect.name]
    return dialect.framing.wrap(dialect.header.request(network, issuer, len(data)) + data)


def test_visanet_gives_an_unreadable_message_back() -> None:
    session, frame = issuer_session(VISANET), broken_request(VISANET, **{"7": "1322013045"})
    events = session.receive_data(frame, NOW)

    assert [type(event) for event in events] == [MessageRefused]
    sent = session.data_to_send()
    reject = VISANET.header.parse_reject(sent[4:])
    assert reject is not None
    assert (reject.code, reject.header + reject.message) == ("0100", frame[4:])
    assert session.state is LinkState.CONNECTED


@pytest.mark.parametrize(
    ("elements", "echoed"),
    [
        ({"4": "0000000006 0"}, {"2": PAN, "7": "1122013105", "11": "200001", "41": "13100001"}),
        ({"7": "1322013105"}, {"4": "000000000680", "11": "200001"}),
        ({"48": "02001X"}, {"4": "000000000680", "11": "200001", "37": "632601200001"}),
    ],
)
def test_quicpay_answers_30_with_what_could_be_read(
    elements: dict[str, str], echoed: dict[str, str]
) -> None:
    quicpay = DIALECTS["quicpay"]
    session = issuer_session(quicpay)
    (event,) = session.receive_data(broken_request(quicpay, **elements), NOW)

    assert isinstance(event, MessageRefused)
    assert event.was_answered
    answer = fields_of(quicpay, session.data_to_send())
    assert (answer["t"], answer["39"]) == ("0110", "30")
    assert {key: answer[key] for key in echoed} == echoed
    assert not answer.keys() & (elements.keys() | {"48"})


def test_quicpay_answers_30_to_a_message_that_breaks_off() -> None:
    quicpay = DIALECTS["quicpay"]
    session, golden = issuer_session(quicpay), vector("quicpay", "tap")
    header, message = quicpay.header.split(golden.frame[2:])
    session.receive_data(quicpay.framing.wrap(header + message[:60]), NOW)

    answer = fields_of(quicpay, session.data_to_send())
    assert (answer["t"], answer["39"], answer["2"]) == ("0110", "30", PAN)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("quicpay", b"QPX1"),  # no header
        ("quicpay", b"QPX19001K001"),  # no message
        ("quicpay", b"QPX19001K0010900" + bytes(8)),  # a type that does not exist
        ("quicpay", b"QPX19001K0010110\xff" + bytes(7)),  # an answer
        ("visanet", bytes(21)),  # too short to be given back
        ("visanet", bytes.fromhex("1A8101000000000000000000000000000000000000000080000134")),
    ],
)
def test_nobody_is_told_where_nobody_can_be(name: str, payload: bytes) -> None:
    session = issuer_session(DIALECTS[name])
    (event,) = session.receive_data(DIALECTS[name].framing.wrap(payload), NOW)

    assert isinstance(event, MessageRefused)
    assert not event.was_answered
    assert session.data_to_send() == b""


def test_an_unreadable_answer_is_not_given_back() -> None:
    session, golden = network_session(VISANET), vector("visanet", "approval")
    fields = {**golden.fields, "7": "1322013045"}
    data = VISANET.codec.encode(fields)
    header = VISANET.header.request("400552", "000000", len(data))
    (event,) = session.receive_data(VISANET.framing.wrap(header + data), NOW)

    assert isinstance(event, MessageRefused)
    assert (event.was_answered, session.data_to_send()) == (False, b"")


def test_a_reject_ends_the_request_with_its_code() -> None:
    pair = ConnectionPair.of(VISANET)
    asked = purchase(VISANET)
    pair.network.request(asked, pair.now)
    payload = pair.network.data_to_send()[4:]
    reject = VISANET.header.reject(payload, "0134", "400552")
    assert reject is not None
    frame = VISANET.framing.wrap(reject)

    events = pair.network.receive_data(frame, pair.now)
    assert events == [RejectReceived("0134", asked, asked)]
    assert pair.network.receive_data(frame, pair.now) == [RejectReceived("0134", asked, None)]
    assert pair.network.data_to_send() == b""
    pair.tick(99.0)
    assert RequestTimedOut(asked) not in pair.at_network


@pytest.mark.parametrize("message", [b"", bytes.fromhex("0110") + bytes(8)])
def test_a_reject_of_what_is_no_request_of_ours_is_told(message: bytes) -> None:
    session = network_session(VISANET)
    payload = VISANET.header.request("000000", "400552", len(message)) + message
    reject = VISANET.header.reject(payload, "0134", "400552")
    assert reject is not None
    (event,) = session.receive_data(VISANET.framing.wrap(reject), NOW)

    assert isinstance(event, RejectReceived)
    assert (event.code, event.request) == ("0134", None)


def test_a_session_between_two_vectors_keeps_what_it_does_not_know(pair: ConnectionPair) -> None:
    dialect = pair.network.dialect
    asked = purchase(dialect)
    pair.network.request(asked, pair.now)
    pair.exchange()
    (event,) = pair.requests()

    assert isinstance(event.message, CardRequest)
    assert dict(event.message.elements) == dict(asked.elements)


def test_an_admin_text_reaches_the_caller_and_can_be_acknowledged() -> None:
    session = issuer_session(VISANET)
    (event,) = session.receive_data(vector("visanet", "fx_and_fees_admin").frame, NOW)

    assert isinstance(event, RequestReceived)
    assert event.message == read(VISANET, "fx_and_fees_admin")


def test_stans_of_management_start_again_behind_the_last(dialect: Dialect) -> None:
    session = issuer_session(dialect)
    session._stan = 999_999
    session.echo(NOW)

    assert fields_of(dialect, session.data_to_send())["11"] == "000001"


def test_a_session_starts_connected(dialect: Dialect) -> None:
    session = Session(dialect, station="900001", peer="000000")

    assert (session.state, session.next_deadline()) == (LinkState.CONNECTED, None)


def test_of_what_finds_no_place_a_few_are_refused_and_the_others_dropped(dialect: Dialect) -> None:
    limits = SessionLimits(incoming=1, reserved=1, refusals=2)
    pair = ConnectionPair(network_session(dialect), issuer_session(dialect, limits=limits))
    for number in range(6):
        pair.network.request(purchase(dialect, stan=f"{number:06d}"), pair.now)
    pair.exchange()

    assert len(pair.requests()) == 1
    assert errors_of(pair.at_issuer, MessageRefused) == [InFlightLimit] * 2
    assert [e.count for e in pair.at_issuer if isinstance(e, RequestsDropped)] == [3]
    assert len(pair.at_network) == 2

    pair.issuer.respond(pair.requests()[0], respond(purchase(dialect), response_code="00"))
    pair.network.request(purchase(dialect, stan="000009"), pair.now)
    pair.exchange()
    assert len(pair.requests()) == 2


def test_while_there_is_too_much_nothing_new_is_let_in(dialect: Dialect) -> None:
    network, issuer = STATIONS[dialect.name]
    is_crowded = [True]
    crowded = Session(
        dialect,
        station=issuer,
        peer=network,
        limits=SessionLimits(refusals=1),
        is_crowded=lambda: is_crowded[0],
    )
    pair = ConnectionPair(network_session(dialect), crowded)
    for number in range(3):
        pair.network.request(purchase(dialect, stan=f"{number:06d}"), pair.now)
    pair.exchange()
    assert errors_of(pair.at_issuer, MessageRefused) == [Crowded]
    assert RequestsDropped(2) in pair.at_issuer
    (answer,) = pair.at_network
    assert isinstance(answer, AnswerReceived)
    assert getattr(answer.response, "response_code", "") == "91"

    is_crowded[0] = False
    pair.network.request(purchase(dialect, stan="000009"), pair.now)
    pair.exchange()
    assert len(pair.requests()) == 1


def test_refusals_are_counted_by_the_second(dialect: Dialect) -> None:
    """The first second of a clock is one as well."""
    network, issuer = STATIONS[dialect.name]
    crowded = Session(
        dialect,
        station=issuer,
        peer=network,
        limits=SessionLimits(refusals=2),
        is_crowded=lambda: True,
    )
    pair = ConnectionPair(network_session(dialect), crowded)
    refused = []
    for now in (0.25, 0.5, 0.75, 1.0):
        pair.network.request(purchase(dialect, stan=f"{now * 100:06.0f}"), pair.now)
        events = crowded.receive_data(pair.network.data_to_send(), now)
        refused.append(len(errors_of(events, MessageRefused)))
    assert refused == [1, 1, 0, 1]


def test_what_tells_of_the_past_is_never_dropped(dialect: Dialect) -> None:
    limits = SessionLimits(incoming=1, reserved=2, refusals=0)
    pair = ConnectionPair(network_session(dialect), issuer_session(dialect, limits=limits))
    pair.network.request(purchase(dialect), pair.now)
    for number in range(3):
        told = Reversal(mti="0420", pan=PAN, stan=f"00010{number}", transmission="1122013045")
        pair.network.request(told, pair.now)
    pair.network.echo(pair.now)
    pair.exchange()

    assert [each.message.mti for each in pair.requests()] == ["0100", "0420", "0420"]
    assert errors_of(pair.at_issuer, MessageRefused) == [InFlightLimit]
    assert any(isinstance(each, ManagementReceived) for each in pair.at_issuer)


def test_what_is_crowded_says_so() -> None:
    assert str(Crowded()) == "more requests wait than can be answered in time"
