"""For subscribers: which events came before.

An event is published at least once. It is published again, soon, if its PUBACK did not come or a
publisher was killed before it could take note; and a broker delivers again what a subscriber did
not acknowledge. So the ids of the last events are enough to tell.
"""

from __future__ import annotations

from collections import OrderedDict

from gateway.cloud_events import CloudEvent

_MOST = 65_536  # publishers have a few hundred in flight, brokers a few thousand for a subscriber


class Duplicates:
    """The last events that came, by `source` and `id`; for one thread, in memory.

    A subscriber that does something which must not be done twice, even if it is killed, keeps the
    id with what it did, in one transaction.
    """

    def __init__(self, *, most: int = _MOST) -> None:
        self._most = most
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def came_before(self, event: CloudEvent) -> bool:
        """Whether `event` is a duplicate; from now on it has come."""
        key = event.source, event.id
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return False
