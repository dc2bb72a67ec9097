"""Who may come in: pages from elsewhere, in an operator's browser, may not.

Nothing here asks who somebody is. A browser, though, sends requests for any page that it shows: so
a write from another origin is refused, and so is a name that is not ours, under which a page from
elsewhere may have had itself looked up at our address. A page's web socket counts as a write.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Container
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.problems import Problem, response_of

BODY_MOST = 64 * 1024  # bytes

_LENGTH_DIGITS = 20
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_SAME_SITE = frozenset({"same-origin", "none"})
_LOCAL = "localhost"
_FOR_EVERYBODY = frozenset({"/healthz", "/readyz", "/metrics"})  # asked by whatever name
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1


class Doors:
    """Refuses requests that no page of ours, and no program, would send."""

    def __init__(self, app: ASGIApp, hosts: Container[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it in, or say why not."""
        kind = scope["type"]
        if kind in {"http", "websocket"} and scope["path"] not in _FOR_EVERYBODY:
            problem = self._refuse(scope.get("method", ""), Headers(scope=scope))
            if problem is not None and kind == "http":
                await response_of(problem)(scope, receive, send)
                return
            if problem is not None:
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return
        await self._app(scope, receive, send)

    def _refuse(self, method: str, headers: Headers) -> Problem | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            told = "Host: expected an address, localhost, or a name of CARDRAIL_HTTP_HOSTS"
            return Problem(HTTPStatus.MISDIRECTED_REQUEST, "not-our-name", told)
        if method in _READING:
            return None
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:_LENGTH_DIGITS]) > BODY_MOST:
            told = f"Content-Length: expected at most {BODY_MOST} bytes"
            return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-long", told)
        site, origin = headers.get("sec-fetch-site", "none"), headers.get("origin")
        if site not in _SAME_SITE or (origin is not None and urlsplit(origin).netloc != host):
            told = "a page of another origin may not write here"
            return Problem(HTTPStatus.FORBIDDEN, "other-origin", told)
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name == _LOCAL or name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True
