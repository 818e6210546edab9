"""A server that wants a key asks the page for it, once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from api.app import create_app
from api.settings import Settings
from api.standin.server import running
from retrieval.access import Scope
from retrieval.embedding.hashing import HashingBackend
from retrieval.engine import catalogue
from retrieval.keys import Allowance, ApiKeys
from retrieval.settings import EngineSettings
from tests.browser.conftest import AXE, Complaints, OpenPage
from tests.ingest.parsers.builders import pdf

_WORDS = {"en-GB": ("Sign in", "Key", "isn't valid"), "zh-CN": ("登录", "密钥", "无效")}


@dataclass
class Locked:
    """A server with a knowledge base `docs`, and one that the key isn't for."""

    url: str
    key: str
    revoke: Callable[[], object]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    data: Path = tmp_path_factory.mktemp("locked")
    with running(create_app(Settings(data=data), HashingBackend())) as url:
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
            for name in ("docs", "hidden"):
                http.put(f"/kb/{name}").raise_for_status()
                page = pdf([["The warranty of the Kestrel lasts twenty-four months."]])
                files = {"files": ("kestrel.pdf", page)}
                http.post(f"/kb/{name}/documents?wait=true", files=files).raise_for_status()
            keys = ApiKeys(catalogue(EngineSettings(data)))
            keys.create("first", Allowance(frozenset({Scope.ADMIN})))
            allowance = Allowance(frozenset({Scope.READ, Scope.WRITE}), frozenset({"docs"}))
            key, token = keys.create("my laptop", allowance)
            while http.get("/kb").status_code != 401:
                pass
        yield Locked(url, token, lambda: keys.revoke(key.id))


def _refused(complaints: Complaints) -> None:
    """What the browser says of each 401 is expected."""
    assert all("401" in one for one in complaints.found), complaints.found
    complaints.found.clear()


def _sign_in(page: Page, key: str, language: str = "en-GB") -> None:
    button, label, _ = _WORDS[language]
    dialog = page.get_by_role("dialog", name=button)
    dialog.get_by_label(label).fill(key)
    dialog.get_by_role("button", name=button).click()


@pytest.mark.parametrize("language", list(_WORDS))
def test_a_key_is_asked_for_and_a_wrong_one_is_told(
    open_page: OpenPage, locked: Locked, complaints: Complaints, language: str
) -> None:
    page = open_page(at=locked.url, language=language)
    button, label, wrong = _WORDS[language]
    dialog = page.get_by_role("dialog", name=button)
    expect(dialog.get_by_label(label)).to_be_focused()
    _sign_in(page, "fn_x_y", language)
    expect(dialog.get_by_role("alert")).to_contain_text(wrong)
    if AXE.exists():
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document).then(found => found.violations)")
        assert [one["id"] for one in found] == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("main").get_by_role("button", name=button).click()
    _sign_in(page, locked.key, language)
    expect(page.get_by_role("link", name="docs")).to_be_visible()
    expect(page.get_by_text("hidden", exact=True)).to_have_count(0)
    _refused(complaints)


def test_signed_in_pictures_and_events_come_too_until_signed_out(
    open_page: OpenPage, locked: Locked, complaints: Complaints
) -> None:
    page = open_page(at=locked.url)
    _sign_in(page, locked.key)
    expect(page.get_by_role("link", name="docs")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="docs")).to_be_visible()  # the cookie stays
    _refused(complaints)
    with page.expect_response("**/jobs/events?*") as followed:
        page.goto(f"{locked.url}/#/docs/documents")
    assert followed.value.status == 200
    address = page.evaluate(
        "fetch('/kb/docs/documents').then(found => found.json())"
        ".then(found => `/kb/docs/documents/${found.documents[0].id}/pages/1.png`)"
    )
    width = page.evaluate(
        "address => new Promise(done => { const image = new Image();"
        " image.onload = () => done(image.naturalWidth); image.onerror = () => done(0);"
        " image.src = address; })",
        address,
    )
    assert width > 0
    assert page.evaluate("document.cookie") == ""  # no script can read it
    assert complaints.found == []
    page.get_by_role("button", name="Sign out: my laptop").click()
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
    expect(page.get_by_role("link", name="docs")).to_have_count(0)
    _refused(complaints)


def test_a_revoked_key_is_asked_for_again(
    open_page: OpenPage, locked: Locked, complaints: Complaints
) -> None:
    page = open_page(at=locked.url)
    _sign_in(page, locked.key)
    expect(page.get_by_role("link", name="docs")).to_be_visible()
    locked.revoke()
    page.wait_for_timeout(1_500)  # what was looked up is taken for true for a second
    page.get_by_role("link", name="docs").click()
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
    _refused(complaints)
