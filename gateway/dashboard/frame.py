"""What all pages have: the bar with its search, the colour scheme, the keys, the style sheet."""

from __future__ import annotations

from pathlib import Path

from fastapi import Request
from nicegui import ui

from gateway.dashboard.markup import Html, tag, text

_STYLE = Path(__file__).with_name("style.css")
_PAGES = (("/", "Overview"), ("/inspect", "Inspect"), ("/exceptions", "Exceptions"))
_SCHEME_COOKIE = "cardrail-scheme"
_SCHEMES: dict[str, bool | None] = {"dark": True, "light": False, "auto": None}
_SCRIPT = f"""\
<script>
document.addEventListener('keydown', event => {{
  const search = document.querySelector('input[name=rrn]');
  const typing = event.target.matches('input, textarea, select');
  if (event.key === '/' && !typing && search) {{ event.preventDefault(); search.focus(); }}
  if (event.key === 'Escape' && typing) event.target.blur();
}});
function nextScheme() {{
  const dark = document.body.classList.contains('body--dark');
  const chosen = dark ? 'light' : 'dark';
  document.cookie = `{_SCHEME_COOKIE}=${{chosen}};path=/;max-age=31536000;samesite=strict`;
  document.body.classList.toggle('body--dark', !dark);
  document.body.classList.toggle('body--light', dark);
}}
</script>
"""


def frame(request: Request, title: str, current: str) -> ui.element:
    """Begin a page; gives the place of its content."""
    ui.page_title(f"{title} \u00b7 Cardrail")
    ui.add_css(_STYLE)
    ui.add_head_html(_SCRIPT)
    ui.dark_mode(_SCHEMES.get(request.cookies.get(_SCHEME_COOKIE, "auto")))
    with ui.header().classes("bar"):
        ui.html(_bar(current), sanitize=False).style("display: contents")
    content = ui.element("div").style("width: 100%")
    ui.skip_link("Skip to the content", target=content)
    return content


def _bar(current: str) -> Html:
    pages = (
        tag("a", text(name), href=href, aria_current="page" if href == current else None)
        for href, name in _PAGES
    )
    search = tag(
        "form",
        '<input name="rrn" type="search" inputmode="numeric" maxlength="12" autocomplete="off"'
        ' aria-label="Inspect an RRN" placeholder="Inspect an RRN  ( / )">',
        action="/inspect",
        role="search",
    )
    scheme = tag(
        "button",
        "\u25d0",
        class_="scheme",
        type="button",
        onclick="nextScheme()",
        aria_label="Dark or light",
        title="Dark or light",
    )
    return (
        tag("a", "Cardrail", class_="brand", href="/")
        + tag("nav", *pages, aria_label="Pages")
        + search
        + scheme
    )
