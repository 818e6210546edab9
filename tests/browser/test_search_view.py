"""Search in the page: why a document isn't found, in the reader's language."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage


@pytest.mark.parametrize(
    ("language", "title", "ask", "said"),
    [
        (
            "en-GB",
            "Why isn't a document found?",
            "Explain",
            ["By meaning, its best passage has rank 2", "Its best passage lacks: tea, four"],
        ),
        (
            "zh-CN",
            "为什么没有找到某篇文档？",
            "说明原因",
            ["语义：它最好的片段在所有片段中排第 2 名", "它最好的片段缺少：tea, four"],
        ),
    ],
)
def test_why_a_document_stands_where_it_does_is_said_in_the_language_of_the_page(
    open_page: OpenPage,
    http: httpx.Client,
    fresh: str,
    language: str,
    title: str,
    ask: str,
    said: list[str],
) -> None:
    for uri, text in (("tea", "Tea is at four."), ("zebra", "Zebras have stripes.")):
        body = {"uri": uri, "text": text}
        http.post(f"/kb/{fresh}/documents?wait=true", json=body).raise_for_status()
    page = open_page(f"#/{fresh}/search", language=language)
    page.get_by_role("searchbox").fill("tea at four")
    expect(page.locator("ol.hits li").first).to_be_visible()  # what comes above the panel moves it
    page.get_by_text(title).click()
    panel = page.locator("details", has_text=title)
    panel.locator("input").fill("zebra")
    panel.get_by_role("button", name=ask).click()
    for words in said:
        expect(panel).to_contain_text(words)
    if language.startswith("zh"):
        expect(panel).not_to_contain_text("leg")
