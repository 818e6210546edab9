import pytest

from api import exposure
from api.settings import Settings
from retrieval.errors import InvalidRequest
from tests.api.conftest import OpenClient

OPEN = ("0.0.0.0", "::", "192.0.2.1", "example.org", "")


@pytest.mark.parametrize("host", OPEN)
def test_others_are_not_let_in_by_accident(host: str) -> None:
    with pytest.raises(InvalidRequest, match="footnote keys create") as refused:
        exposure.check(Settings(host=host), keys=False)
    assert "FOOTNOTE_ALLOW_ANONYMOUS=true" in str(refused.value)


@pytest.mark.parametrize("host", OPEN)
def test_with_a_key_or_where_it_is_wished_they_are(host: str) -> None:
    exposure.check(Settings(host=host), keys=True)
    exposure.check(Settings(host=host, allow_anonymous=True), keys=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_this_machine_needs_no_key(host: str) -> None:
    exposure.check(Settings(host=host), keys=False)


def test_the_server_does_not_start(open_client: OpenClient) -> None:
    with pytest.raises(InvalidRequest, match="there is no key yet"):
        open_client(host="0.0.0.0")
