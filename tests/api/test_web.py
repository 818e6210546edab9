import re
from pathlib import Path

from starlette.testclient import TestClient

from api.routes import web

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_the_page_is_served_and_may_load_nothing(shared: TestClient) -> None:
    page = shared.get("/", headers=BROWSER)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy


def test_the_page_names_no_other_host() -> None:
    page = (Path(web.__file__).parents[1] / "web" / "index.html").read_text(encoding="utf-8")
    addresses = re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}", page)
    assert [address for address in addresses if "w3.org" not in address] == []
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page)


def test_what_the_page_calls_is_there(shared: TestClient) -> None:
    page = shared.get("/", headers=BROWSER).text
    paths = shared.get("/openapi.json").json()["paths"]
    for call in ("/kb", "/documents", "/ask"):
        assert call in page
        assert any(call in path for path in paths)


def test_pages_that_would_load_scripts_from_elsewhere_are_off(shared: TestClient) -> None:
    for path in ("/docs", "/redoc"):
        assert shared.get(path).status_code == 404


def test_a_client_of_ollama_finds_what_it_expects(shared: TestClient) -> None:
    assert shared.get("/").text == "Ollama is running"
    alive = shared.head("/")
    assert (alive.status_code, alive.headers["content-type"]) == (200, "text/plain; charset=utf-8")
