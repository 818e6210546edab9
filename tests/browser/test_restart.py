"""A server that dies and comes back under the open page."""

import signal

from playwright.sync_api import expect

from tests.browser.conftest import Complaints, OpenPage
from tests.integration.conftest import StartServer, home, start_server

__all__ = ["home", "start_server"]

GONE = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET")


def test_the_page_goes_on_after_a_restart(
    start_server: StartServer, open_page: OpenPage, complaints: Complaints
) -> None:
    first = start_server()
    address = str(first.http.base_url)
    first.http.put("/kb/tea").raise_for_status()
    page = open_page("#/tea/documents", at=address.rstrip("/"))
    texts = [{"uri": f"note {n}", "text": f"Tea number {n} is at four."} for n in range(40)]
    first.http.post("/kb/tea/documents", json={"documents": texts}).raise_for_status()
    expect(page.locator(".queue li")).not_to_have_count(0)

    port = first.http.base_url.port
    first.stop(signal.SIGKILL)
    expect(page.locator("#connection")).to_be_visible()
    start_server(FOOTNOTE_PORT=str(port))
    expect(page.locator("#connection")).to_be_hidden()
    expect(page.locator("main")).to_contain_text("40 of 40")
    expect(page.locator(".queue li:not(.done)")).to_have_count(0)

    page.get_by_role("button", name="Paste text").click()
    page.get_by_role("dialog").get_by_label("Title").fill("after")
    page.get_by_role("dialog").get_by_label("Text").fill("Tea goes on.")
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(page.locator("table.documents")).to_contain_text("after")
    complaints.expect(*GONE)
