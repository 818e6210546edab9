from traceback import format_exception

import pytest

from retrieval.errors import InvalidRequest
from retrieval.ollama.address import base_url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("localhost", "http://localhost:11434"),
        ("box:1234", "http://box:1234"),
        (":8080", "http://127.0.0.1:8080"),
        ("http://box", "http://box:80"),
        ("https://ollama.com", "https://ollama.com:443"),
        ("https://box:8443/ollama//", "https://box:8443/ollama"),
        ("box/ollama", "http://box:11434/ollama"),
        ("[::1]", "http://[::1]:11434"),
        ("http://[fe80::1]:99/x", "http://[fe80::1]:99/x"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:99", "http://127.0.0.1:99"),
        ("[::]:99", "http://[::1]:99"),
        (' "box" ', "http://box:11434"),
    ],
)
def test_what_ollama_host_may_hold(host: str, url: str) -> None:
    assert base_url(host) == url


@pytest.mark.parametrize("host", ["ftp://box", "box:port", "box:99999", "a b", "::1", "box#x"])
def test_what_is_no_address(host: str) -> None:
    with pytest.raises(InvalidRequest, match=r"127\.0\.0\.1:11434"):
        base_url(host)


@pytest.mark.parametrize(
    "host",
    [
        "somebody:hunter2@box",
        "hunter2@box:1",
        "http://somebody:hunter2@box",
        "https://somebody:hun/ter2@box/x",
        "http://box?key=hunter2",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_told(host: str) -> None:
    with pytest.raises(InvalidRequest, match=r"OLLAMA_HOST holds .* OLLAMA_API_KEY") as refused:
        base_url(host)
    assert "ter2" not in "".join(format_exception(refused.value))
