"""Documents in the page: what goes wrong, what is found, what comes back."""

import httpx
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import OpenPage


def _choose(page: Page, *files: tuple[str, bytes]) -> None:
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Choose files").click()
    choosing.value.set_files(
        [FilePayload(name=name, mimeType="", buffer=data) for name, data in files]
    )


def test_a_file_that_fails_says_why_and_others_come_in(open_page: OpenPage, fresh: str) -> None:
    page = open_page(f"#/{fresh}/documents")
    _choose(page, ("broken.pdf", b"%PDF-1.7 nothing"), ("tea.txt", b"Tea is at four."))
    failed = page.locator(".queue li.failed")
    expect(failed).to_contain_text("broken.pdf")
    expect(failed.locator(".reason")).to_contain_text("damaged")
    expect(page.locator("table.documents")).to_contain_text("tea")
    page.reload()
    expect(page.locator(".queue li.failed")).to_contain_text("broken.pdf")
    page.get_by_role("button", name="Clear finished").click()
    expect(page.locator(".queue")).to_be_hidden()
    page.reload()
    expect(page.locator("table.documents")).to_contain_text("tea")
    expect(page.locator(".queue")).to_be_hidden()


def test_a_file_that_is_too_large_isnt_sent(open_page: OpenPage, fresh: str) -> None:
    page = open_page(f"#/{fresh}/documents")
    _choose(page, ("large.txt", b"x" * 5_000_001))
    expect(page.locator(".queue li.failed")).to_contain_text("5 MB, the most this server takes")


def test_find_sort_versions_and_delete(open_page: OpenPage, http: httpx.Client, fresh: str) -> None:
    texts = {"b/second.txt": "Tea is at four. " * 40, "a/first.txt": "Coffee is at ten."}
    for uri, text in texts.items():
        http.post(f"/kb/{fresh}/documents?wait=true", json={"uri": uri, "title": uri, "text": text})
    page = open_page(f"#/{fresh}/documents")
    titles = page.locator("table.documents tbody tr td:first-child button")
    expect(titles).to_have_text(["a/first.txt", "b/second.txt"])
    page.get_by_role("button", name="Size").click()
    expect(titles).to_have_text(["a/first.txt", "b/second.txt"])
    page.get_by_role("button", name="Size").click()
    expect(titles).to_have_text(["b/second.txt", "a/first.txt"])
    page.get_by_role("searchbox").fill("FIRST")
    expect(titles).to_have_text(["a/first.txt"])

    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="New version of a/first.txt").click()
    new = FilePayload(name="new.txt", mimeType="", buffer=b"Coffee is at eleven.")
    choosing.value.set_files(new)
    expect(page.locator(".queue li.done")).to_contain_text("new version")
    page.get_by_role("button", name="Versions of").click()
    versions = page.get_by_role("dialog").locator("li")
    expect(versions).to_have_count(2)
    versions.last.get_by_role("button").click()
    expect(page.locator("#source")).to_contain_text("Coffee is at ten.")
    expect(page.locator("#source")).to_contain_text("There is a newer version")
    page.get_by_role("button", name="Close the source").click()

    page.locator("button[aria-label^='Delete']").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#notices")).to_contain_text("is deleted")
    assert http.get(f"/kb/{fresh}/documents").json()["total"] == 1


def test_pasted_text_becomes_a_document(open_page: OpenPage, fresh: str) -> None:
    page = open_page(f"#/{fresh}/documents")
    page.get_by_role("button", name="Paste text").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("下午茶")
    dialog.get_by_label("Text").fill("下午四点喝茶。🍵 Tea is at four.")
    dialog.get_by_role("button", name="Add").click()
    row = page.locator("table.documents tbody tr")
    expect(row).to_contain_text("下午茶")
    row.get_by_role("button", name="Open").click()
    expect(page.locator("#source pre")).to_have_text("下午四点喝茶。🍵 Tea is at four.")
