"""Pictures of every view, to be looked at, and how soon and how light the first one is.

python -m tests.browser.screenshots FOLDER
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx
from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

from api.app import create_app
from api.settings import Settings
from api.standin.server import running
from tests.browser.chromium import CHROMIUM, DESKTOP, FLAGS, PHONE

_KB = "samples"
_ROUNDS = 9
_SETTLED = 600  # milliseconds until transitions are over
_SHOWN = """
new MutationObserver((_, observer) => {
    if (!document.querySelector("main h1")) return;
    window.shown = performance.now();
    observer.disconnect();
}).observe(document, { childList: true, subtree: true });
"""


@dataclass(frozen=True)
class Look:
    """A screen, a scheme of colours and a language, with something to ask in it."""

    name: str
    language: str
    screen: dict[str, int]
    dark: bool
    question: str
    unknown: str
    words: str


_OXYGEN = "At what oxygen level does the oxygen monitor sound?"
_GYM = "Does the company pay for a gym membership?"
_ENGLISH = (_OXYGEN, _GYM, "oxygen monitor alarm")
_CHINESE = ("增压泵保修几年？", "公司报销健身卡吗？", "运费险 赔")
LOOKS = (
    Look("light", "en-GB", DESKTOP, False, *_ENGLISH),
    Look("dark", "en-GB", DESKTOP, True, *_ENGLISH),
    Look("phone", "en-GB", PHONE, False, *_ENGLISH),
    Look("zh", "zh-CN", DESKTOP, False, *_CHINESE),
    Look("zh-phone-dark", "zh-CN", PHONE, True, *_CHINESE),
)


def take(browser: Browser, address: str, look: Look, folder: Path) -> None:
    """Every view as it looks so, `FOLDER/VIEW-LOOK.png`."""
    context = browser.new_context(
        locale=look.language,
        viewport={"width": look.screen["width"], "height": look.screen["height"]},
        color_scheme="dark" if look.dark else "light",
    )
    page = context.new_page()
    for name, visit in _VIEWS.items():
        page.goto(f"{address}/#/{_KB}/{name}" if name not in ("home", "source") else page.url)
        if name == "home":
            page.goto(address)
        visit(page, look)
        page.wait_for_timeout(_SETTLED)
        page.screenshot(path=folder / f"{name}-{look.name}.png", full_page=name in _LONG)
    context.close()


def _home(page: Page, _look: Look) -> None:
    page.locator(".card").first.wait_for()


def _ask(page: Page, look: Look) -> None:
    _say(page, look.question)
    page.locator(".notes button.note").first.wait_for()
    _say(page, look.unknown)
    page.locator(".abstained").wait_for()


def _say(page: Page, question: str) -> None:
    page.locator("textarea").fill(question)
    page.keyboard.press("Enter")


def _source(page: Page, _look: Look) -> None:
    page.locator("a.mark").first.click()
    page.locator("#source .highlight").first.wait_for()


def _search(page: Page, look: Look) -> None:
    page.locator(".results").wait_for(state="attached")
    page.locator("input[type=search]").fill(look.words)
    page.locator(".hit").first.wait_for()
    page.locator(".filters > button").click()


def _documents(page: Page, _look: Look) -> None:
    page.locator("table.documents").wait_for()
    picker = page.locator("#choose-files")
    files = {"broken.pdf": b"%PDF-1.7 no", "novel.txt": b"It was a night. " * 9_000}
    picker.set_input_files(
        [FilePayload(name=name, mimeType="", buffer=data) for name, data in files.items()]
    )
    page.locator(".queue li.failed").first.wait_for()


def _quality(page: Page, _look: Look) -> None:
    page.locator("main table").first.wait_for()


def _settings(page: Page, _look: Look) -> None:
    page.locator("main form").first.wait_for()


_VIEWS: dict[str, Callable[[Page, Look], None]] = {
    "home": _home,
    "ask": _ask,
    "source": _source,
    "search": _search,
    "documents": _documents,
    "quality": _quality,
    "settings": _settings,
}
_LONG = ("quality", "settings", "documents")  # pictures of all there is, not of the screen


def first_view(browser: Browser, address: str) -> tuple[int, int, float]:
    """How many files and bytes a browser that knows nothing loads until the view is there, and
    after how many milliseconds it is: the median of a few times.
    """
    took, files, size = [], 0, 0
    for _ in range(_ROUNDS):
        context = browser.new_context()
        page = context.new_page()
        page.add_init_script(_SHOWN)
        page.goto(address)
        page.locator("main h1").first.wait_for(state="attached")
        took.append(page.evaluate("window.shown"))
        sizes = page.evaluate(
            "performance.getEntriesByType('resource').concat("
            "performance.getEntriesByType('navigation'))"
            ".filter(one => one.startTime < window.shown).map(one => one.decodedBodySize)"
        )
        files, size = len(sizes), sum(sizes)
        context.close()
    return files, size, median(took)


@contextmanager
def _served() -> Iterator[str]:
    """The address of a server with the sample documents, whose search has been measured."""
    with TemporaryDirectory() as data, running(create_app(Settings(data=Path(data)))) as url:
        with httpx.Client(base_url=url, timeout=600, trust_env=False) as http:
            about = {"description": "Ten short documents, in English and Chinese."}
            http.put(f"/kb/{_KB}", json=about).raise_for_status()
            http.post(f"/kb/{_KB}/samples?wait=true").raise_for_status()
            run = {"source": "generated", "count": 60}
            http.post(f"/kb/{_KB}/evaluation", json=run).raise_for_status()
            while http.get(f"/kb/{_KB}/evaluation").json()["state"] in ("waiting", "measuring"):
                time.sleep(0.5)
        yield url


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with _served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        files, size, took = first_view(browser, address)
        print(f"First view: {files} files, {size / 1000:.0f} kB, there after {took:.0f} ms")
        for look in LOOKS:
            take(browser, address, look, folder)
        browser.close()
    print(f"{len(_VIEWS) * len(LOOKS)} pictures in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
