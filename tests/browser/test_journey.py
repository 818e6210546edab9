"""From nothing to a checked footnote and back, in English and Chinese."""

from collections.abc import Mapping
from pathlib import Path

import httpx
import pypdfium2
import pytest
from playwright.sync_api import Locator, Page, expect

import sample_docs
from tests.browser.conftest import OpenPage

SAMPLES = sample_docs.FOLDER

ENGLISH = {
    "language": "en-GB",
    "name": "lab-en",
    "file": "laboratory-safety-protocol.pdf",
    "question": "At what oxygen level does the oxygen monitor sound?",
    "answer": "19.5 per cent",
    "create": "Create",
    "files": "Choose files",
    "ready": "ready",
    "ask": "Ask",
    "placeholder": "Ask a question about these documents",
    "delete": "Delete",
    "settings": "Settings",
    "end": "Delete this knowledge base",
    "gone": "lab-en is deleted.",
}
CHINESE = {
    "language": "zh-CN",
    "name": "shuoming-zh",
    "file": "海岚H3净水器使用说明书.pdf",
    "question": "增压泵保修几年？",
    "answer": "增压泵保修三年",
    "create": "新建",
    "files": "选择文件",
    "ready": "就绪",
    "ask": "提问",
    "placeholder": "就这些文档提个问题",
    "delete": "删除",
    "settings": "设置",
    "end": "删除这个知识库",
    "gone": "shuoming-zh 已删除。",
}


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_from_an_upload_to_the_highlighted_quote(
    words: Mapping[str, str], open_page: OpenPage, http: httpx.Client
) -> None:
    page = open_page(language=words["language"])
    assert page.locator("html").get_attribute("lang") == words["language"]
    page.locator("main form input").first.fill(words["name"])
    page.get_by_role("button", name=words["create"], exact=True).click()

    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name=words["files"], exact=True).click()
    choosing.value.set_files(SAMPLES / words["file"])
    arrived = page.locator(".queue li.done")
    expect(arrived).to_contain_text(words["file"])
    expect(arrived).to_contain_text(words["ready"])
    expect(page.locator("table.documents tbody tr")).to_have_count(1)

    page.get_by_role("navigation").get_by_role("link", name=words["ask"]).click()
    page.get_by_placeholder(words["placeholder"]).fill(words["question"])
    page.keyboard.press("Enter")
    expect(page.locator(".answer")).to_contain_text(words["answer"])
    quote = page.locator(".answer p").first.evaluate(
        "said => said.firstChild.textContent"  # without its mark
    )

    page.locator(".answer a.mark").first.click()
    source = page.locator("#source")
    expect(source.locator(".highlight").first).to_be_visible()
    expect(source.locator(".page img")).to_have_js_property("complete", value=True)
    assert _letters(_highlighted(source, SAMPLES / words["file"])) == _letters(quote)

    page.keyboard.press("Escape")
    expect(source).to_be_hidden()
    page.get_by_role("navigation").get_by_role("link", name=words["settings"]).click()
    page.get_by_role("button", name=words["end"]).click()
    dialog = page.get_by_role("dialog")
    sure = dialog.locator("button.danger")
    expect(sure).to_be_disabled()
    dialog.get_by_role("textbox").fill(words["name"])
    sure.click()
    expect(page.locator("#notices")).to_contain_text(words["gone"])
    assert http.get(f"/kb/{words['name']}").status_code == 404


def _letters(text: str) -> str:
    """Without what a page breaks lines by."""
    return "".join(text.split()).replace("\u00ad", "")


def _highlighted(source: Locator, file: Path) -> str:
    """What the PDF itself has where the page shows highlights, read by pdfium."""
    shown = source.evaluate(
        """panel => {
            const frame = panel.querySelector(".page img").getBoundingClientRect();
            const number = panel.querySelector(".page img").src.match(/pages\\/(\\d+)\\.png/)[1];
            const boxes = [...panel.querySelectorAll(".highlight")].map(one => {
                const box = one.getBoundingClientRect();
                return [box.left - frame.left, box.top - frame.top, box.right - frame.left,
                        box.bottom - frame.top].map((v, i) =>
                            v / (i % 2 ? frame.height : frame.width));
            });
            return [Number(number), boxes];
        }"""
    )
    number, boxes = shown
    with pypdfium2.PdfDocument(file) as document:
        leaf = document[number - 1]
        width, height = leaf.get_size()
        text = leaf.get_textpage()
        parts = [
            text.get_text_bounded(
                left * width, height - bottom * height, right * width, height - top * height
            )
            for left, top, right, bottom in boxes
        ]
        text.close()
        leaf.close()
    return "".join(parts)


def test_first_run_offers_sample_documents(open_page: OpenPage, http: httpx.Client) -> None:
    for kb in http.get("/kb").json():
        http.delete(f"/kb/{kb['name']}")
    page = open_page()
    page.get_by_role("button", name="Load the sample documents").click()
    expect(page.locator("table.documents tbody tr")).to_have_count(10)
    page.get_by_role("navigation").get_by_role("link", name="Ask").click()
    page.get_by_role("button", name="How high is the late fee").click()
    expect(page.locator(".answer")).to_contain_text("$35")
    page.get_by_role("textbox").fill("Does the company pay for a gym membership?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".exchange")).to_have_count(2)
    expect(page.locator(".abstained")).to_contain_text("Not in these documents")


def test_a_conversation_is_there_after_a_reload_and_can_be_copied(
    open_page: OpenPage, http: httpx.Client, fresh: str
) -> None:
    text = "The warranty of the Kestrel lasts twenty-four months. 保修期为两年。"
    http.post(f"/kb/{fresh}/documents?wait=true", json={"text": text, "uri": "kestrel"})
    page = open_page(f"#/{fresh}/ask")
    _ask(page, "How long does the warranty of the Kestrel last?")
    expect(page.locator(".notes li")).not_to_have_count(0)
    page.get_by_role("button", name="Copy with footnotes").click()
    expect(page.locator("#notices")).to_contain_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "[1] “The warranty of the Kestrel lasts twenty-four months.” — kestrel" in copied
    page.reload()
    expect(page.locator(".exchange .answer")).to_contain_text("twenty-four months")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".exchange")).to_have_count(0)


def test_thumbs_are_counted_and_taken_back(
    open_page: OpenPage, http: httpx.Client, fresh: str
) -> None:
    text = "The warranty of the Kestrel lasts twenty-four months."
    http.post(f"/kb/{fresh}/documents?wait=true", json={"text": text, "uri": "kestrel"})
    page = open_page(f"#/{fresh}/ask")
    _ask(page, "How long does the warranty of the Kestrel last?")
    up = page.get_by_role("button", name="This answers the question").first
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    (kept,) = http.get(f"/kb/{fresh}/feedback").json()["feedback"]
    assert (kept["helpful"], kept["start"], kept["end"]) == (True, 0, len(text))
    down = page.get_by_role("button", name="This doesn't answer").first
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    assert [one["helpful"] for one in http.get(f"/kb/{fresh}/feedback").json()["feedback"]] == [
        False
    ]
    down.click()
    expect(down).to_have_attribute("aria-pressed", "false")
    assert http.get(f"/kb/{fresh}/feedback").json()["total"] == 0


def test_what_a_model_says_without_support_is_marked(
    open_page: OpenPage, http: httpx.Client, fresh: str
) -> None:
    text = "The warranty of the Kestrel lasts twenty-four months. Its motor has 250 watts."
    http.put(f"/kb/{fresh}", json={"chat_model": "cited"}).raise_for_status()
    http.post(f"/kb/{fresh}/documents?wait=true", json={"text": text, "uri": "kestrel"})
    page = open_page(f"#/{fresh}/ask")
    _ask(page, "How long does the warranty of the Kestrel last?")
    answer = page.locator(".answer")
    expect(answer.locator("strong")).to_have_text("Kestrel")
    expect(answer.locator("span.contradicted")).to_contain_text("Its motor has 900 watts")
    expect(answer.locator("li span.unsupported")).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page.locator(".doubts")).to_contain_text("number: 900")
    assert page.locator("main img").count() == 0
    assert "evil.example" in (answer.text_content() or "")


def _ask(page: Page, question: str) -> None:
    page.get_by_role("textbox", name="Your question").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".exchange details.how")).to_have_count(1)
