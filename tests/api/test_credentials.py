import pytest

from api.credentials import Credential, cookie_of, network, shown
from retrieval.errors import Unauthorized

NAME = "footnote_session_ours"
COOKIE = f"{NAME}=secret"


def _scope(path: str = "/kb", client: str = "127.0.0.1", **headers: str) -> dict[str, object]:
    named = [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()]
    return {
        "type": "http",
        "path": path,
        "headers": named,
        "client": (client, 5),
    }


@pytest.mark.parametrize("given", ["Bearer fn_a_b", "bearer fn_a_b", "BEARER   fn_a_b "])
def test_a_key_is_shown_as_bearer_on_all_interfaces(given: str) -> None:
    for path in ("/kb", "/api/tags", "/v1/models"):
        found = shown(_scope(path, authorization=given, cookie=COOKIE), NAME)
        assert found == Credential("fn_a_b")


@pytest.mark.parametrize("given", ["Basic YTpi", "fn_a_b", "Digest x"])
def test_other_schemes_are_refused(given: str) -> None:
    with pytest.raises(Unauthorized, match="Bearer KEY"):
        shown(_scope(authorization=given), NAME)


def test_clients_of_anthropic_have_a_header_of_their_own() -> None:
    assert shown(_scope("/v1/messages", x_api_key="fn_a_b"), NAME) == Credential("fn_a_b")
    assert shown(_scope("/v1/models", x_api_key="fn_a_b"), NAME) is None
    assert shown(_scope("/kb", x_api_key="fn_a_b"), NAME) is None


def test_a_cookie_counts_on_our_own_routes() -> None:
    assert shown(_scope(cookie=f"a=b; {COOKIE}"), NAME) == Credential("secret", session=True)
    for site in ("same-origin", "none"):
        assert shown(_scope(cookie=COOKIE, sec_fetch_site=site), NAME) is not None


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/tags", {"cookie": COOKIE}),
        ("/v1/models", {"cookie": COOKIE}),
        ("/kb", {"cookie": COOKIE, "sec_fetch_site": "same-site"}),  # another port of this machine
        ("/kb", {"cookie": COOKIE, "sec_fetch_site": "cross-site"}),
        ("/kb", {"cookie": "footnote_session_theirs=secret"}),
        ("/kb", {"cookie": f"{NAME}="}),
        ("/kb", {"cookie": "\x00;;=é"}),
        ("/kb", {}),
    ],
)
def test_a_cookie_counts_nowhere_else(path: str, headers: dict[str, str]) -> None:
    assert shown(_scope(path, **headers), NAME) is None


def test_installations_on_one_machine_have_cookies_of_their_own() -> None:
    assert cookie_of("0123456789abcdef") == "footnote_session_0123456789ab"
    assert cookie_of("fedcba9876543210") != cookie_of("0123456789abcdef")


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
