import pytest

from api.credentials import Credential, cookie, network, shown
from retrieval.errors import Unauthorized

COOKIE = "footnote_session_7373=secret"


def _scope(path: str = "/kb", client: str = "127.0.0.1", **headers: str) -> dict[str, object]:
    named = [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()]
    return {
        "type": "http",
        "path": path,
        "headers": named,
        "server": ("127.0.0.1", 7373),
        "client": (client, 5),
    }


@pytest.mark.parametrize("given", ["Bearer fn_a_b", "bearer fn_a_b", "BEARER   fn_a_b "])
def test_a_key_is_shown_as_bearer_on_all_interfaces(given: str) -> None:
    for path in ("/kb", "/api/tags", "/v1/models"):
        found = shown(_scope(path, authorization=given, cookie=COOKIE))
        assert found == Credential("fn_a_b")


@pytest.mark.parametrize("given", ["Basic YTpi", "fn_a_b", "Digest x"])
def test_other_schemes_are_refused(given: str) -> None:
    with pytest.raises(Unauthorized, match="Bearer KEY"):
        shown(_scope(authorization=given))


def test_clients_of_anthropic_have_a_header_of_their_own() -> None:
    assert shown(_scope("/v1/messages", x_api_key="fn_a_b")) == Credential("fn_a_b")
    assert shown(_scope("/v1/models", x_api_key="fn_a_b")) is None
    assert shown(_scope("/kb", x_api_key="fn_a_b")) is None


def test_a_cookie_counts_on_our_own_routes() -> None:
    assert shown(_scope(cookie=f"a=b; {COOKIE}")) == Credential("secret", session=True)
    for site in ("same-origin", "none"):
        assert shown(_scope(cookie=COOKIE, sec_fetch_site=site)) is not None


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/tags", {"cookie": COOKIE}),
        ("/v1/models", {"cookie": COOKIE}),
        ("/kb", {"cookie": COOKIE, "sec_fetch_site": "same-site"}),  # another port of this machine
        ("/kb", {"cookie": COOKIE, "sec_fetch_site": "cross-site"}),
        ("/kb", {"cookie": "footnote_session_8080=secret"}),
        ("/kb", {"cookie": "footnote_session_7373="}),
        ("/kb", {"cookie": "\x00;;=é"}),
        ("/kb", {}),
    ],
)
def test_a_cookie_counts_nowhere_else(path: str, headers: dict[str, str]) -> None:
    assert shown(_scope(path, **headers)) is None


def test_servers_on_one_machine_have_cookies_of_their_own() -> None:
    assert cookie(_scope()) == "footnote_session_7373"
    assert cookie({"server": None}) == "footnote_session_0"


@pytest.mark.parametrize(
    ("client", "from_"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_a_sender_cannot_choose_its_network(client: str, from_: str) -> None:
    assert network(_scope(client=client)) == from_
    assert network({"client": None}) == ""
