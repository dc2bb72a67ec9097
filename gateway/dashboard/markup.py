"""Pieces of HTML from values, every one of them escaped: a network's text is never markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

Html = str  # what is escaped already
_VOID = frozenset({"input"})


def tag(element: str, *content: Html, **attributes: str | None) -> Html:
    """One element; `class_` stands for class, and an attribute that is ``None`` is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    closing = "" if element in _VOID else f"</{element}>"
    return f"<{element}{given}>{''.join(content)}{closing}"


def text(value: object) -> Html:
    """A value as text; control characters are named."""
    shown = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in str(value))
    return escape(shown)


def link(href: str, *content: Html, class_: str | None = None) -> Html:
    """A link within the pages; `href` is made by `path`."""
    return tag("a", *content, href=href, class_=class_)


def path(*parts: object) -> str:
    """A path whose parts may hold anything."""
    return "/" + "/".join(quote(str(part), safe="") for part in parts)


def table(head: Iterable[str], rows: Iterable[Iterable[Html]], class_: str = "grid") -> Html:
    """A table; a column whose heading begins with ``>`` is aligned to the right."""
    columns = [
        (name.removeprefix(">"), "number" if name.startswith(">") else None) for name in head
    ]
    heads = "".join(tag("th", text(name), class_=side, scope="col") for name, side in columns)
    body = "".join(
        tag(
            "tr",
            *(
                tag("td", cell, class_=side, data_label=name)
                for cell, (name, side) in zip(row, columns, strict=True)
            ),
        )
        for row in rows
    )
    return tag(
        "div",
        tag("table", tag("thead", tag("tr", heads)), tag("tbody", body), class_=class_),
        class_="scroll",
    )
