"""The page where addresses, the network, the browser's memory or other tabs aren't as expected."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.browser.conftest import PATIENCE, Complaints, OpenPage

TEXT = "The warranty of the Kestrel lasts twenty-four months. " * 40


@pytest.fixture
def told(http: httpx.Client, fresh: str) -> str:
    """A knowledge base with one document."""
    body = {"text": TEXT, "uri": "kestrel"}
    http.post(f"/kb/{fresh}/documents?wait=true", json=body).raise_for_status()
    return fresh


def _files(*names: str) -> list[FilePayload]:
    return [
        FilePayload(name=name, mimeType="", buffer=f"Tea of {name} is at four.".encode())
        for name in names
    ]


def _choose(page: Page, files: list[FilePayload]) -> None:
    page.locator("#choose-files").set_input_files(files)


def test_addresses_that_name_nothing_lead_somewhere(open_page: OpenPage, told: str) -> None:
    page = open_page("#/%E0%A4%A")
    expect(page.locator(".cards")).to_be_visible()
    page.goto(page.url.split("#")[0] + f"#/{told}/constructor")
    expect(page.locator("form.composer")).to_be_visible()
    page.goto(page.url.split("#")[0] + "#/no-such/ask")
    expect(page.locator("#notices")).to_contain_text("no-such")
    expect(page.locator(".cards")).to_be_visible()
    page.go_back()
    expect(page.locator("form.composer")).to_be_visible()


def test_a_knowledge_base_may_be_called_constructor(
    open_page: OpenPage, http: httpx.Client
) -> None:
    http.put("/kb/constructor").raise_for_status()
    body = {"text": TEXT, "uri": "kestrel", "metadata": {"constructor": "tea"}}
    http.post("/kb/constructor/documents?wait=true", json=body).raise_for_status()
    page = open_page("#/constructor/ask")
    page.get_by_role("textbox", name="Your question").fill("How long is the warranty?")
    page.keyboard.press("Enter")
    expect(page.locator(".notes li")).not_to_have_count(0)
    http.delete("/kb/constructor")


@pytest.mark.parametrize("value", ["{}", "[1]", "nonsense", '{"turns": [{"question": 1}]}'])
def test_what_the_browser_kept_may_be_anything(value: str, open_page: OpenPage, told: str) -> None:
    page = open_page(f"#/{told}/ask")
    page.get_by_role("textbox", name="Your question").fill("How long is the warranty?")
    for store in ("localStorage", "sessionStorage"):
        page.evaluate(
            "([store, value]) => Object.keys(window[store])"
            ".concat(['footnote-1-theme', 'footnote-1-language', 'footnote-1-cleared'])"
            ".forEach(key => window[store].setItem(key, value))",
            [store, value],
        )
    page.reload()
    page.get_by_role("textbox", name="Your question").fill("How long is the warranty?")
    page.keyboard.press("Enter")
    expect(page.locator(".notes li")).not_to_have_count(0)


def test_a_question_that_wasnt_answered_is_still_there(open_page: OpenPage, told: str) -> None:
    page = open_page(f"#/{told}/ask")
    page.route("**/ask", lambda _: None)  # never answered
    question = page.get_by_role("textbox", name="Your question")
    question.fill("How long is the warranty?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    page.get_by_role("navigation").get_by_role("link", name="Search").click()
    page.get_by_role("navigation").get_by_role("link", name="Ask").click()
    expect(question).to_have_value("How long is the warranty?")
    page.reload()
    expect(question).to_have_value("How long is the warranty?")


def test_a_view_is_kept_when_the_server_comes_back(
    open_page: OpenPage, told: str, complaints: Complaints
) -> None:
    page = open_page(f"#/{told}/ask")
    gone = re.compile(r"/(ask|health)$")
    page.route(gone, lambda route: route.abort("connectionrefused"))
    question = page.get_by_role("textbox", name="Your question")
    question.fill("How long is the warranty?")
    page.keyboard.press("Enter")
    expect(page.locator("#connection")).to_be_visible()
    question.fill("How long, really?")
    page.unroute(gone)
    expect(page.locator("#connection")).to_be_hidden()
    expect(page.locator("#notices")).to_contain_text("back")
    expect(page.locator(".exchange")).to_have_count(1)
    expect(question).to_have_value("How long, really?")
    complaints.expect("ERR_CONNECTION_REFUSED")


def _breaking(times: int) -> Callable[[Route], None]:
    """Breaks off that many requests."""
    left = [times]

    def handle(route: Route) -> None:
        left[0] -= 1
        if left[0] >= 0:
            route.abort("connectionreset")
        else:
            route.continue_()

    return handle


def test_files_are_sent_again_by_themselves_and_from_any_view(
    open_page: OpenPage, http: httpx.Client, fresh: str, complaints: Complaints
) -> None:
    page = open_page(f"#/{fresh}/documents")
    page.route("**/documents", _breaking(2))
    _choose(page, _files(*(f"{n}.txt" for n in range(30))))
    page.get_by_role("navigation").get_by_role("link", name="Search").click()
    page.get_by_role("navigation").get_by_role("link", name="Documents").click()
    expect(page.locator("main")).to_contain_text("30 of 30")
    assert http.get(f"/kb/{fresh}/documents").json()["total"] == 30
    complaints.expect("ERR_CONNECTION_RESET")


def test_what_cannot_be_sent_is_tried_again_at_once(
    open_page: OpenPage, fresh: str, complaints: Complaints
) -> None:
    page = open_page(f"#/{fresh}/documents")
    page.route(re.compile("/documents$"), _breaking(6))
    _choose(page, _files("a.txt", "b.txt"))
    expect(page.locator(".queue li.failed")).to_have_count(2)
    page.get_by_role("button", name="Try all again").click()
    expect(page.locator("main")).to_contain_text("2 of 2")
    expect(page.locator(".queue li.failed")).to_have_count(0)
    complaints.expect("ERR_CONNECTION_RESET")


def test_among_many_files_those_that_fail_are_seen(
    open_page: OpenPage, http: httpx.Client, fresh: str
) -> None:
    page = open_page(f"#/{fresh}/documents")
    broken = FilePayload(name="broken.pdf", mimeType="", buffer=b"%PDF-1.7 nothing")
    _choose(page, [*_files(*(f"{n}.txt" for n in range(210))), broken])
    expect(page.locator("main")).to_contain_text("of 210", timeout=4 * PATIENCE)
    expect(page.locator(".queue li").first).to_contain_text("broken.pdf")
    page.reload()
    expect(page.locator(".queue li")).to_have_count(1)
    expect(page.locator(".queue li.failed")).to_contain_text("broken.pdf")
    assert http.get(f"/jobs?kb={fresh}").json()["counts"] == {"done": 210, "failed": 1}


def test_a_knowledge_base_deleted_elsewhere_is_left(
    open_page: OpenPage, http: httpx.Client, fresh: str, complaints: Complaints
) -> None:
    page = open_page(f"#/{fresh}/documents")
    expect(page.locator(".dropzone")).to_be_visible()
    http.delete(f"/kb/{fresh}").raise_for_status()
    expect(page.locator("#notices")).to_contain_text("any more")
    expect(page.locator(".cards, .empty")).not_to_have_count(0)
    complaints.expect("status of 404")


def test_a_document_deleted_elsewhere_goes(
    open_page: OpenPage, http: httpx.Client, told: str, complaints: Complaints
) -> None:
    page = open_page(f"#/{told}/documents")
    (document,) = http.get(f"/kb/{told}/documents").json()["documents"]
    http.delete(f"/kb/{told}/documents/{document['id']}").raise_for_status()
    page.locator("button[aria-label^='Delete']").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("table.documents tbody tr")).to_have_count(0)
    complaints.expect("status of 404")


def test_settings_made_elsewhere_are_kept(
    open_page: OpenPage, http: httpx.Client, told: str
) -> None:
    page = open_page(f"#/{told}/settings")
    http.put(f"/kb/{told}", json={"min_confidence": 0.4, "system_prompt": "Be brief."})
    page.get_by_label("Description").fill("Tea")
    save = page.get_by_role("button", name="Save")
    save.click()
    expect(page.locator("#notices")).to_contain_text("Saved")
    expect(save).to_be_focused()
    now = http.get(f"/kb/{told}").json()
    assert (now["description"], now["min_confidence"]) == ("Tea", 0.4)
    assert now["system_prompt"] == "Be brief."


def test_creating_does_not_overwrite(
    open_page: OpenPage, http: httpx.Client, told: str, complaints: Complaints
) -> None:
    http.put(f"/kb/{told}", json={"description": "Mine"}).raise_for_status()
    page = open_page("#/")
    page.locator("main form input").first.fill(told)
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#notices")).to_contain_text("already")
    assert http.get(f"/kb/{told}").json()["description"] == "Mine"
    complaints.expect("status of 412")


def test_why_a_dialog_failed_is_said_in_it(
    open_page: OpenPage, told: str, complaints: Complaints
) -> None:
    page = open_page(f"#/{told}/documents")
    page.get_by_role("button", name="Paste text").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("tea")
    dialog.get_by_label("Text").fill("x" * 5_100_000)
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_role("alert")).to_contain_text("larger than the limit")
    page.evaluate("location.hash = '#/'")
    expect(dialog).to_have_count(0)
    complaints.expect("status of 413")


def test_the_text_that_follows_comes_once(open_page: OpenPage, told: str) -> None:
    page = open_page(f"#/{told}/documents")
    lines = "".join(f"Line {n} of the long story.\n" for n in range(400))
    page.get_by_role("button", name="Paste text").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("story")
    dialog.get_by_label("Text").fill(lines)
    dialog.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Open story").click()
    more = page.get_by_role("button", name="Show what follows")
    more.dblclick()
    expect(page.locator("#source pre")).to_contain_text("Line 200 of")
    shown = page.locator("#source pre").inner_text().splitlines()
    assert len(shown) == len(set(shown))


def test_the_chooser_opens_by_key_and_leads_elsewhere(
    open_page: OpenPage, http: httpx.Client, told: str
) -> None:
    http.put(f"/kb/{told}-other").raise_for_status()
    page = open_page(f"#/{told}/search")
    page.locator("#chooser").focus()
    page.keyboard.press("Enter")
    page.locator(".chooser").get_by_role("link", name=f"{told}-other").click()
    expect(page.locator("#chooser")).to_have_text(f"{told}-other")
    http.delete(f"/kb/{told}-other")


def test_numbers_written_as_text_are_found_by_filters(
    open_page: OpenPage, http: httpx.Client, fresh: str
) -> None:
    for uri, year in (("text", "2024"), ("number", 2024), ("other", 2025)):
        body = {"text": "Tea is at four.", "uri": uri, "title": uri, "metadata": {"year": year}}
        http.post(f"/kb/{fresh}/documents?wait=true", json=body).raise_for_status()
    page = open_page(f"#/{fresh}/search")
    page.get_by_role("searchbox", name="Search for").fill("tea")
    expect(page.locator(".hit")).to_have_count(3)
    page.get_by_role("button", name="Add a filter").click()
    page.get_by_label("Field").select_option("year")
    page.get_by_label("Value").fill("2024")
    expect(page.locator(".hit")).to_have_count(2)
