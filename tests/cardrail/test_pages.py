"""The pages of a running rail in a real browser: they follow, explain, and ask nobody else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright

from networks.wire.pan import synthetic_pan
from tests.cardrail.rail import Network, Rail, rail
from tests.gateway.running import fresh
from tests.gateway.samples import financial, purchase
from tests.ledger.books import CARD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAN = synthetic_pan(CARD)
WAIT_MILLISECONDS = 20_000
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 900}

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no browser: Chromium is not installed (apt install chromium)"
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rail]:
    with rail(tmp_path_factory.mktemp("rail")) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, running: Rail) -> Iterator[Page]:
    """A page that complains of nothing and asks nobody but the rail."""
    context = browser.new_context(base_url=running.url, viewport=DESK, color_scheme="dark")
    made = context.new_page()
    made.set_default_timeout(WAIT_MILLISECONDS)
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("requestfailed", lambda request: wrong.append(request.url))
    made.on(
        "request",
        lambda request: (
            wrong.append(request.url)
            if request.url.partition(":")[2].partition("/")[0]
            and not re.match(
                rf"(data:|blob:|(http|ws):{running.url.partition(':')[2]}/)", request.url
            )
            else None
        ),
    )
    yield made
    context.close()
    assert wrong == []


@pytest.fixture
def network(running: Rail) -> Iterator[Network]:
    with closing(Network(running.visanet)) as made:
        yield made


def lamp(page: Page, name: str) -> Locator:
    return page.locator(f"[data-lamp={name}] .value")


def test_lamps_change_when_a_link_comes_and_when_it_drops(page: Page, network: Network) -> None:
    page.goto("/")
    visanet = lamp(page, "visanet")
    expect(visanet).to_have_text("1 link up")
    expect(lamp(page, "books")).to_have_text("balance")
    network.close()
    expect(visanet).to_have_text("no link")
    expect(page.locator(".verdict")).to_contain_text("no link of visanet takes requests")


def test_a_decline_appears_by_itself_and_opens_its_timeline(page: Page, network: Network) -> None:
    page.goto("/")
    expect(lamp(page, "visanet")).to_have_text("1 link up")
    assert network.code(purchase(pan=PAN, amount=54_321, **fresh())) == "51"
    row = page.locator("tr", has_text="insufficient funds").first
    expect(page.locator(".reasons")).to_contain_text("51, insufficient funds")
    row.get_by_role("link").click()
    expect(page.locator("h2")).to_contain_text("Declined: JPY 54,321 asked")
    expect(page.locator(".checks .declined")).to_contain_text("The money is there")


def test_an_rrn_is_inspected_with_the_keyboard_alone(page: Page, network: Network) -> None:
    """To the last byte, and without the PAN."""
    asked = purchase(pan=PAN, amount=100, transaction_id="386326054322222", **fresh())
    assert network.code(asked) == "00"
    page.goto("/inspect")
    expect(page.locator("tr", has_text=asked.rrn)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type(asked.rrn)
    page.keyboard.press("Enter")
    expect(page.locator("h2")).to_have_text("JPY 100 held")
    message = page.locator("summary", has_text="Message: 0100")
    message.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("authorization request")).to_be_visible()
    shown = page.content()
    assert f"{PAN[:6]}******{PAN[-4:]}" in shown
    assert PAN not in shown


def test_a_clearing_without_a_match_is_resolved_by_a_person(
    page: Page, network: Network, running: Rail
) -> None:
    asked = purchase(pan=PAN, amount=70, transaction_id="386326054321111", **fresh())
    lost = financial(
        mti="0220", pan=PAN, amount=70, transaction_id="386326054329999", original=None, **fresh()
    )
    assert [network.code(each) for each in (asked, lost)] == ["00", "00"]
    held = next(
        event.subject_id
        for event in reversed(running.books.told())
        if event.data.get("rrn") == asked.rrn
    )
    page.goto("/exceptions")
    row = page.locator("tr", has_text=lost.rrn)
    row.locator("summary").click()
    row.get_by_label("Authorization").fill(str(held))
    row.get_by_label("Reason").fill("the acquirer has changed the id")
    row.get_by_role("button", name="Match").click()
    expect(row.locator("output")).to_contain_text("Done: ")
    row.get_by_role("link", name="inspect").click()
    expect(page.locator("h2")).to_have_text("JPY 70 cleared")
    expect(page.locator(".rail")).to_contain_text("Resolved by a person")


def test_what_a_network_has_sent_is_never_markup(page: Page, running: Rail) -> None:
    hostile = "`${document.title='x'}</script><img src=x onerror=\"document.title='x'\">\\"
    command = replace(running.books.authorize(1), details={"merchant_name": hostile})
    decision = running.books.ask(command)
    page.goto(f"/inspect/1/{decision.authorization_id}")
    expect(page.get_by_text(hostile)).to_be_visible()
    expect(page).to_have_title("Timeline \u00b7 Cardrail")


@pytest.mark.parametrize("path", ["/", "/inspect", "/exceptions", "/inspect/1/1"])
def test_a_phone_shows_it_without_scrolling_sideways(page: Page, path: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(path)
    expect(page.get_by_role("main")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_colour_scheme_follows_the_system_until_somebody_chooses(page: Page) -> None:
    page.goto("/")
    body = page.locator("body")
    expect(body).to_have_class(re.compile("body--dark"))
    page.get_by_role("button", name="Dark or light").click()
    expect(body).to_have_class(re.compile("body--light"))
    page.reload()
    expect(body).to_have_class(re.compile("body--light"))


@pytest.mark.parametrize(
    "path", [f"/{PAN}", f"/api/v1/{PAN}", f"/inspect/{PAN}", f"/inspect?rrn={PAN}"]
)
def test_a_pan_in_a_path_is_neither_shown_nor_logged(running: Rail, path: str) -> None:
    answer = httpx.get(f"{running.url}{path}")
    assert answer.status_code in (200, 404)
    assert PAN not in answer.text
    assert PAN not in running.log_of("ops")


def test_programs_get_problems_and_not_pages(running: Rail) -> None:
    answer = httpx.get(f"{running.url}/api/v1/none")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
