"""Documents that try to be more than text."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage

ATTACKS = [
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    '"><svg onload=window.pwned=1>',
    "</title></textarea></script><script>window.pwned=1</script>",
    "[click](javascript:window.pwned=1) ![pixel](https://evil.example/p.png)",
    "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1}",
    "<style>body{display:none}</style><base href=https://evil.example>",
    "<form action=https://evil.example><button>Ask</button></form>",
]
TEXT = "The warranty of the Kestrel lasts {n} months, says {attack} in the handbook."


@pytest.fixture
def hostile(http: httpx.Client, fresh: str) -> str:
    """A knowledge base whose every title, text and metadata attacks."""
    documents = [
        {
            "uri": f"{number}/{attack}",
            "title": attack,
            "text": TEXT.format(n=number, attack=attack),
            "metadata": {attack[:100]: attack, "plain": [attack, "tea"]},
        }
        for number, attack in enumerate(ATTACKS, start=1)
    ]
    added = http.post(f"/kb/{fresh}/documents?wait=true", json={"documents": documents})
    assert [job["state"] for job in added.json()["jobs"]] == ["done"] * len(ATTACKS)
    http.put(f"/kb/{fresh}", json={"description": "".join(ATTACKS)}).raise_for_status()
    return fresh


def test_a_document_shows_as_text_everywhere(hostile: str, open_page: OpenPage) -> None:
    page = open_page(f"#/{hostile}/documents")
    table = page.locator("table.documents")
    for attack in ATTACKS:
        expect(table).to_contain_text(attack)
    _is_unharmed(page)

    page.goto(page.url.replace("/documents", "/search"))
    page.get_by_role("searchbox", name="Search for").fill("warranty of the Kestrel handbook")
    expect(page.locator(".hit")).to_have_count(len(ATTACKS))
    for attack in ATTACKS:
        expect(page.locator(".results")).to_contain_text(attack)
    page.get_by_role("button", name="Add a filter").click()
    page.locator(".hit h2 button").first.click()
    expect(page.locator("#source pre mark")).to_contain_text("warranty")
    _is_unharmed(page)

    page.goto(page.url.replace("/search", "/ask"))
    page.get_by_role("textbox", name="Your question").fill(
        "How many months does the warranty of the Kestrel last?"
    )
    page.keyboard.press("Enter")
    expect(page.locator(".notes li")).not_to_have_count(0)
    page.locator("summary").last.click()
    _is_unharmed(page)

    page.goto(page.url.split("#")[0])
    expect(page.locator(".card").filter(has_text=hostile)).to_contain_text(ATTACKS[0])
    _is_unharmed(page)


def test_the_reasons_of_failures_are_text(open_page: OpenPage, fresh: str) -> None:
    page = open_page(f"#/{fresh}/documents")
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Choose files").click()
    name = "<img src=x onerror=window.pwned=1>.pdf"
    choosing.value.set_files(
        {"name": name, "mimeType": "application/pdf", "buffer": b"%PDF-1.7 no"}
    )
    expect(page.locator(".queue li.failed")).to_contain_text(name)
    _is_unharmed(page)


def _is_unharmed(page: Page) -> None:
    assert page.evaluate("window.pwned") is None
    assert (
        page.locator("main :is(script, img, svg[onload], style, base, iframe, title)").count() == 0
    )
    assert page.locator("form[action]").count() == 0
