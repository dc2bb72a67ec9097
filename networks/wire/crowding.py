"""What a full link may refuse or drop: requests that ask for something new.

To refuse a request costs a third of what it costs to decide it, so under ten times the load the
refusals alone would take all the time there is. Of each piece of the stream a few are refused, and
the others are dropped after a look at their MTI: the network's timer ends them, and it stands in.
Reversals, advices and clearings tell what has happened and are never dropped; they have places of
their own (`SessionLimits.reserved`).
"""

from __future__ import annotations

from collections.abc import Callable

from networks.wire.dialect import Dialect
from networks.wire.spec import Encoding

NEW_REQUESTS = frozenset({"0100", "0101", "0200", "0201"})


def new_request_test(dialect: Dialect) -> Callable[[bytes], bool]:
    """Whether a payload is one of `NEW_REQUESTS`, told from its MTI alone."""
    is_packed = dialect.elements["t"].encoding is Encoding.BCD
    wanted = {bytes.fromhex(mti) if is_packed else mti.encode() for mti in NEW_REQUESTS}
    width, extent = (2 if is_packed else 4), dialect.header.extent

    def is_new_request(payload: bytes) -> bool:
        begin = extent(payload)
        return payload[begin : begin + width] in wanted

    return is_new_request
