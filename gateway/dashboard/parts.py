"""A part of a page that is shown anew: only where it has changed, and not under anybody's hands."""

from __future__ import annotations

from nicegui import ui

from gateway.dashboard.markup import Html


class Part:
    """A place for markup, made where the page is being built.

    One that `keeps_still` waits while the mouse or the keyboard is in it: what somebody is about to
    choose must not move. `live` is how a screen reader tells of it.
    """

    def __init__(self, class_: str = "", *, live: str = "", keeps_still: bool = False) -> None:
        self._html = ui.html("", sanitize=False).classes(class_)
        self._hands = 0
        if live:
            self._html.props(f"aria-live={live}")
        if keeps_still:
            for event, change in _HANDS:
                self._html.on(event, self._came if change > 0 else self._went)

    def show(self, content: Html) -> None:
        """Show `content`, already escaped, if it is another and nobody is there."""
        if not self._hands and self._html.content != content:
            self._html.set_content(content)

    def _came(self) -> None:
        self._hands += 1

    def _went(self) -> None:
        self._hands = max(0, self._hands - 1)


_HANDS = (("mouseenter", 1), ("mouseleave", -1), ("focusin", 1), ("focusout", -1))
