import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.routes import web
from ingest.types import Stage
from retrieval.indexing import Published

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FOLDER = Path(web.__file__).parents[1] / "web"
FILES = sorted(FOLDER.iterdir())
MODULES = [path for path in FILES if path.suffix == ".js"]
SERVED = [path for path in FILES if path.suffix != ".html"]  # the page has an address of its own


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


PAGE = _read("index.html")


def test_the_page_may_load_and_run_nothing_but_its_own_files(shared: TestClient) -> None:
    page = shared.get("/", headers=BROWSER)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types footnote-answers",
    ]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_another_host(path: Path) -> None:
    addresses = re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}", path.read_text(encoding="utf-8"))
    assert [address for address in addresses if "w3.org" not in address] == []


@pytest.mark.parametrize("path", SERVED, ids=lambda path: path.name)
def test_files_are_served_with_their_type_and_asked_for_anew(
    path: Path, shared: TestClient
) -> None:
    reply = shared.get(f"/web/{path.name}")
    kinds = {".js": "javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    assert kinds[path.suffix] in reply.headers["content-type"]
    assert reply.headers["cache-control"] == "no-cache"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    again = shared.get(f"/web/{path.name}", headers={"If-None-Match": reply.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["../routes/web.py", "%2e%2e/app.py", "..%2fapp.py", "none.js", "index.html", ""]
)
def test_nothing_else_is_served(path: str, shared: TestClient) -> None:
    assert shared.get(f"/web/{path}").status_code == 404


def test_markup_is_made_in_one_place() -> None:
    sinks = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|Function\("
    )
    assert [path.name for path in MODULES if sinks.search(path.read_text())] == ["html.js"]


def test_both_languages_have_the_same_words_and_values() -> None:
    english, chinese = _words("en"), _words("zh")
    # The server says in English what went wrong with a document.
    assert english.keys() == {name for name in chinese if not name.startswith("error_")}
    for name, text in english.items():
        values = {*re.findall(r"\{\w+\}", text)}
        assert values == {*re.findall(r"\{\w+\}", chinese[name])}, name


def test_every_word_is_used_and_known() -> None:
    code = "\n".join(
        path.read_text() for path in MODULES if path.name not in ("words.en.js", "words.zh.js")
    )
    known = _words("en").keys()
    used = {*re.findall(r"\bt\(\"(\w+)\"", code)}
    assert used <= known
    # Such as t(`stage_${...}`), or names in a list that t() is given later.
    families = {*re.findall(r"`(\w+_)\$\{", code)}
    quoted = {*re.findall(r"\"(\w+)\"", code)}
    by_outcome = {f"{outcome}Mark" for outcome in ("unsupported", "contradicted")}
    unused = known - used - quoted - by_outcome
    assert {one for one in unused if not one.startswith(tuple(families))} == set()


def test_there_are_words_for_all_that_a_job_says() -> None:
    for words in (_words("en"), _words("zh")):
        assert {f"stage_{stage.value}" for stage in Stage} <= words.keys()
        assert {f"outcome_{outcome.value}" for outcome in Published} <= words.keys()


def test_what_the_page_imports_is_there() -> None:
    for path in MODULES:
        for name in _imports(path.name):
            assert (FOLDER / name).is_file(), (path.name, name)


def test_every_view_is_there() -> None:
    views = re.search(r"^const VIEWS = \[(.*?)\]", _read("main.js"), re.MULTILINE)
    assert views
    named = {"home", *re.findall(r"\"(\w+)\"", views.group(1))}
    assert {f"view.{name}.js" for name in named} == {
        path.name for path in MODULES if path.name.startswith("view.")
    }
    for name in named:
        assert re.search(
            r"^export (async )?function view\(", _read(f"view.{name}.js"), re.MULTILINE
        )


def test_the_page_asks_at_once_for_all_that_its_first_view_imports() -> None:
    needed, found = {"main.js", "view.home.js"}, set[str]()
    while needed:
        name = needed.pop()
        found.add(name)
        needed |= {*_imports(name)} - found
    asked = re.findall(r"<(?:link rel=\"modulepreload\" href|script .*src)=\"/web/([\w.]+)\"", PAGE)
    assert sorted(asked) == sorted(found)


def test_pages_that_would_load_scripts_from_elsewhere_are_off(shared: TestClient) -> None:
    for path in ("/docs", "/redoc"):
        assert shared.get(path).status_code == 404


def test_a_client_of_ollama_finds_what_it_expects(shared: TestClient) -> None:
    assert shared.get("/").text == "Ollama is running"
    alive = shared.head("/")
    assert (alive.status_code, alive.headers["content-type"]) == (200, "text/plain; charset=utf-8")


def _imports(name: str) -> list[str]:
    """The modules that a module can't begin without."""
    return re.findall(r"from \"\./([\w.]+)\"", _read(name))


def _words(language: str) -> dict[str, str]:
    """The words of a language by name; of a plural, its last form."""
    lines = re.findall(r"^  (\w+): (.+),$", _read(f"words.{language}.js"), re.MULTILINE)
    return {name: re.findall(r"\"((?:[^\"\\]|\\.)*)\"", text)[-1] for name, text in lines}
