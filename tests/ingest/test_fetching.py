"""Documents from the web, and what is never fetched."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpcore
import pytest

from ingest import fetching
from ingest.errors import FetchFailed, TooLarge
from ingest.fetching import Fetcher


class Site(BaseHTTPRequestHandler):
    """Pages, redirects and tricks."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self._reply(302, b"", Location="/page.html")
        elif self.path == "/loop":
            self._reply(302, b"", Location="/loop")
        elif self.path == "/inside":
            self._reply(302, b"", Location="http://169.254.169.254/latest/meta-data")
        elif self.path == "/file":
            self._reply(302, b"", Location="file:///etc/passwd")
        elif self.path == "/big":
            self._reply(200, b"x" * 5_000)
        elif self.path == "/slow":
            self.send_response(200)
            with contextlib.suppress(OSError):
                for number in range(1_000):
                    self.wfile.write(b"X-%d: y\r\n" % number)
                    self.wfile.flush()
                    time.sleep(0.02)
        elif self.path == "/odd":
            self._reply(302, b"", Location="http://[::1")
        elif self.path == "/b%C3%BCcher?q=%E4%B9%A6":
            self._reply(200, b"books")
        elif self.path == "/never":
            self._reply(304, b"")
        elif self.path == "/gone":
            self._reply(404, b"")
        elif self.headers.get("If-None-Match") == '"1"':
            self._reply(304, b"", ETag='"1"')
        else:
            kind = {"Content-Type": "text/html; charset=utf-8"}
            self._reply(200, "<h1>页</h1>".encode(), ETag='"1"', **kind)

    def _reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


Open = Callable[..., Fetcher]


@pytest.fixture
def opened() -> Open:
    def new(private: bool = True, seconds: float = 10.0) -> Fetcher:
        return Fetcher(4_000, seconds, private=private)

    return new


def test_a_page_is_fetched_and_again_only_if_it_changed(site: str, opened: Open) -> None:
    fetcher = opened()
    found = fetcher.fetch(f"{site}/moved")
    assert (found.data, found.name, found.etag) == ("<h1>页</h1>".encode(), "page.html", '"1"')
    assert found.media_type == "text/html; charset=utf-8"
    assert fetcher.fetch(f"{site}/", etag='"1"').data is None
    assert fetcher.fetch(f"{site}/").name == "index.html"


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("/loop", FetchFailed, "more than 5 times"),
        ("/file", FetchFailed, "isn't an http"),
        ("/gone", FetchFailed, "status 404"),
        ("/odd", FetchFailed, "isn't a URL"),
        ("/never", FetchFailed, "status 304"),
        ("/big", TooLarge, "4,000"),
    ],
)
def test_what_is_no_document_is_said(
    site: str, opened: Open, path: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        opened().fetch(site + path)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/x",
        "http://",
        "http://user:secret@example.org/",
        "http://example.org:0/",
        "http://[::1",
        "gopher://x",
        "x",
        "http://a\0b/",
        "http://exa mple.org:99999999/",
        "http://" + "ü" * 300 + "/",
    ],
)
def test_only_plain_web_addresses_are_taken(opened: Open, url: str) -> None:
    with pytest.raises(FetchFailed) as caught:
        opened().fetch(url)
    assert "secret" not in str(caught.value)


def test_an_address_in_any_script_is_sent_in_ascii(site: str, opened: Open) -> None:
    found = opened().fetch(f"{site}/bücher?q=书")
    assert (found.data, found.name) == (b"books", "bücher")


@pytest.mark.parametrize("etag", ['"caf\xe9"', '"退"', '"a\r\nX: y"'])
def test_a_mark_that_cannot_be_sent_is_not(site: str, opened: Open, etag: str) -> None:
    assert opened().fetch(f"{site}/", etag).data


def test_a_trickle_ends_when_the_time_is_up(site: str, opened: Open) -> None:
    began = time.monotonic()
    with pytest.raises(FetchFailed, match=r"longer than 0\.3 s"):
        opened(seconds=0.3).fetch(f"{site}/slow")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "10.0.0.1", "192.168.1.1", "172.16.0.1"),
        *("169.254.169.254", "100.64.0.1", "[fd00::1]", "[fe80::1]", "[::ffff:127.0.0.1]"),
        *("[::1.2.3.4]", "[fec0::1]", "[64:ff9b:1::7f00:1]", "192.0.0.8", "192.88.99.1"),
        *("[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1", "2130706433", "0x7f.1", "[::]"),
    ],
)
def test_private_addresses_are_refused(
    opened: Open, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", numeric)
    with pytest.raises(FetchFailed, match="isn't a public address"):
        opened(private=False).fetch(f"http://{host}:80/")


def numeric(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
    """What a look-up makes of a number, in any of the ways to write one, without a network."""
    if host == "localhost":
        return answer("127.0.0.1", port)
    return answer(host if ":" in host else socket.inet_ntoa(socket.inet_aton(host)), port)


def test_the_site_itself_is_refused_unless_allowed(site: str, opened: Open) -> None:
    with pytest.raises(FetchFailed, match="isn't a public address"):
        opened(private=False).fetch(site)


def answer(address: str, port: int = 80) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def test_a_redirect_into_the_network_is_refused(
    site: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", numeric)
    monkeypatch.setattr(fetching, "_is_public", lambda address: not address.startswith("169.254."))
    with pytest.raises(FetchFailed, match=r"169\.254\.169\.254"):
        opened(private=False).fetch(f"{site}/inside")


def test_the_address_that_was_checked_is_the_one_that_is_used(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when it is checked and private when it is connected to."""
    asked: list[str] = []
    connected: list[str] = []

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return answer("93.184.215.14" if len(asked) == 1 else "127.0.0.1")

    def connect(_self: Any, host: str, *_: Any, **__: Any) -> Any:
        connected.append(host)
        raise httpcore.ConnectError("not here")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    with pytest.raises(FetchFailed, match="not here"):
        opened(private=False).fetch("http://rebinding.example/")
    assert (asked, connected) == (["rebinding.example"], ["93.184.215.14"])


def test_one_private_address_among_several_is_enough_to_refuse(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = answer("93.184.215.14") + answer("10.1.2.3")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(FetchFailed, match=r"10\.1\.2\.3"):
        opened(private=False).fetch("http://two.example/")
