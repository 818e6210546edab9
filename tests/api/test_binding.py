import errno
import socket

import pytest

from api.binding import bound
from retrieval.errors import InvalidRequest


def test_all_addresses_of_a_name_are_taken_and_nobody_is_let_in_yet() -> None:
    [one] = bound("127.0.0.1", 0)
    with one, socket.socket() as client:
        address, port = one.getsockname()
        assert address == "127.0.0.1"
        assert client.connect_ex((address, port)) != 0
        one.listen()
        assert client.connect_ex((address, port)) == 0


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InvalidRequest, match=f"127.0.0.1:{port}: another process listens"):
            bound("127.0.0.1", port)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name not known"), "no address has that name"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign"), "this machine hasn't that address"),
        (OSError(errno.ENOBUFS, "No buffer space"), "No buffer space"),
    ],
)
def test_an_address_that_cannot_be_had_is_told(
    monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(InvalidRequest, match=f"Can't listen on somewhere:7: {reason}"):
        bound("somewhere", 7)
