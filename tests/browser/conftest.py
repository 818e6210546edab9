"""Headless Chromium before a real server with the real embedding model."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from api.app import create_app
from api.settings import Settings
from api.standin.catalogue import default_models
from api.standin.chatting import ChatModel
from api.standin.server import create_standin, running
from api.wire.models import Completion
from tests.browser.chromium import CHROMIUM, DESKTOP, FLAGS

AXE = Path(os.environ.get("FOOTNOTE_CI_NODE", Path(__file__).parents[2] / ".ci"))
AXE = AXE / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 60_000.0  # milliseconds that a loaded machine may take

OpenPage = Callable[..., Page]


def say(completion: Completion) -> str:
    """What the stand-in's chat model says: a true sentence, a wrong one, an invented one, and
    markup.
    """
    asked = completion.messages[-1].content
    if "Sources:" not in asked:
        return "# Hello"
    return (
        "The warranty of the **Kestrel** lasts twenty-four months [1]. "
        "Its motor has 900 watts [1].\n\n"
        "- Penguins <img src=x onerror=alert(1)> designed it [9].\n\n"
        "![pixel](https://evil.example/x.png)"
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address. Behind it is a stand-in with the chat model `cited`."""
    models = [*default_models(), ChatModel("cited", script=say)]
    with running(create_standin(models)) as upstream:
        data = tmp_path_factory.mktemp("browser")
        settings = Settings(
            data=data,
            ollama_host=upstream,
            max_upload_bytes=5_000_000,
            embedding_backend="torch",  # so that none is chosen by trial
        )
        with running(create_app(settings)) as url:
            yield url


@pytest.fixture(scope="session")
def http(server: str) -> Iterator[httpx.Client]:
    """To ask the server beside the page."""
    with httpx.Client(base_url=server, timeout=60, trust_env=False) as client:
        yield client


# Not of the session: while it is open, no event loop can run in this thread.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("There is no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Complaints:
    """What the browser has against the page: errors, and what the policy kept from running."""

    found: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("console", self._said)
        page.on("dialog", lambda dialog: self.found.append(f"dialog: {dialog.message}"))

    def expect(self, *parts: str) -> None:
        """Take out what was to be complained about."""
        self.found = [one for one in self.found if not any(part in one for part in parts)]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"{message.type}: {message.text}")


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Fails the test that made the browser complain; expected ones are to be taken out."""
    complaints = Complaints()
    yield complaints
    assert complaints.found == []


@pytest.fixture
def made(http: httpx.Client) -> Iterator[list[str]]:
    """Names of knowledge bases, which are deleted once no page looks at them."""
    names: list[str] = []
    yield names
    for name in names:
        http.delete(f"/kb/{name}")


@pytest.fixture
def open_page(
    chromium: Browser,
    server: str,
    complaints: Complaints,
    made: list[str],  # deleted when its pages are closed
) -> Iterator[OpenPage]:
    """Opens the page at an address of its own, in a language, on a screen."""
    contexts = []

    def opened(
        address: str = "#/",
        *,
        language: str = "en-GB",
        screen: dict[str, int] = DESKTOP,
        dark: bool = False,
        at: str = server,
    ) -> Page:
        context = chromium.new_context(
            locale=language,
            viewport={"width": screen["width"], "height": screen["height"]},
            color_scheme="dark" if dark else "light",
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        complaints.watch(page)
        page.goto(f"{at}/{address}")
        page.locator("main h1").first.wait_for(state="attached")
        return page

    expect.set_options(timeout=PATIENCE)
    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def fresh(http: httpx.Client, request: pytest.FixtureRequest, made: list[str]) -> str:
    """The name of an empty knowledge base."""
    name = f"kb{abs(hash(request.node.name)) % 10**8}"
    http.put(f"/kb/{name}").raise_for_status()
    made.append(name)
    return name
