"""Every view, for everybody: axe-core finds nothing, the keyboard reaches everything."""

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import DESKTOP, PHONE
from tests.browser.conftest import AXE, OpenPage

VIEWS = ["", "ask", "search", "documents", "quality", "settings"]
MOST = 150_000  # bytes of the first view

needs_axe = pytest.mark.skipif(
    not AXE.is_file(), reason="npm's axe-core isn't installed: npm install --prefix .ci axe-core"
)


@pytest.fixture(scope="module")
def filled(http: httpx.Client) -> str:
    """A knowledge base with documents of several kinds, one that failed, and judgements."""
    http.put("/kb/access", json={"description": "For everybody"}).raise_for_status()
    http.post("/kb/access/samples?wait=true").raise_for_status()
    http.post("/kb/access/documents?wait=true", files={"files": ("no.pdf", b"%PDF-1.7")})
    return "access"


@needs_axe
@pytest.mark.parametrize("look", ["light", "dark", "phone", "zh"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(view: str, look: str, open_page: OpenPage, filled: str) -> None:
    page = open_page(
        f"#/{filled}/{view}" if view else "#/",
        screen=PHONE if look == "phone" else DESKTOP,
        dark=look == "dark",
        language="zh-CN" if look == "zh" else "en-GB",
    )
    if view == "ask":
        page.get_by_role("textbox").fill("At what oxygen level does the oxygen monitor sound?")
        page.keyboard.press("Enter")
        page.locator(".notes button.note").first.wait_for()
        page.locator("details.how summary").click()
        assert _violations(page) == []
        page.locator(".answer a.mark").first.click()
        page.locator("#source .highlight").first.wait_for()
    if view == "search":
        page.get_by_role("searchbox").fill("oxygen monitor")
        page.locator(".hit").first.wait_for()
        page.locator(".filters > button").click()
    if view == "documents":
        page.locator("table.documents").wait_for()
    assert _violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls aside"


@needs_axe
def test_axe_finds_nothing_in_dialogs(open_page: OpenPage, filled: str) -> None:
    page = open_page(f"#/{filled}/documents")
    page.get_by_role("button", name="Paste text").click()
    assert _violations(page) == []
    page.keyboard.press("Escape")
    page.locator("button[aria-label^='Delete']").first.click()
    assert _violations(page) == []


def _violations(page: Page) -> list[Any]:
    """What axe-core has against the page as it is: rules of WCAG 2.2 AA, and good practice."""
    # The policy lets no script in but the page's own; the debugger may.
    page.evaluate(AXE.read_text(encoding="utf-8") + "\n;0")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]
    ]


def test_the_keyboard_is_enough(open_page: OpenPage, filled: str) -> None:
    page = open_page(f"#/{filled}/ask")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    _tab_to(page, "textarea")
    page.keyboard.type("How high is the late fee if a payment arrives too late?")
    page.keyboard.press("Enter")
    page.locator(".notes button.note").first.wait_for()
    page.locator("main").focus()
    _tab_to(page, "a.mark")
    page.keyboard.press("Enter")
    expect(page.locator("#source h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()
    expect(page.locator("a.mark").first).to_be_focused()


def _tab_to(page: Page, what: str) -> None:
    for _ in range(40):
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reached {what}.")


def test_the_first_view_is_light(open_page: OpenPage) -> None:
    page = open_page()
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').concat("
        "performance.getEntriesByType('navigation')).map(one => [one.name, one.decodedBodySize])"
    )
    assert len(sizes) > 10
    assert sum(size for _, size in sizes) < MOST, sorted(sizes, key=lambda one: -one[1])
