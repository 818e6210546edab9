"""The addresses to listen on are taken before anything is opened."""

import errno
import socket

from retrieval.errors import InvalidRequest


def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets at all addresses that a name has, at which nobody is let in yet.

    Raises InvalidRequest, before anything is opened, where that can't be.
    """
    found: list[socket.socket] = []
    try:
        for family, kind, _, _, address in dict.fromkeys(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        ):
            found.append(one := socket.socket(family, kind))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
    except OSError as error:
        for one in found:
            one.close()
        raise InvalidRequest(_cannot_listen(host, port, error)) from error
    return found


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    known = {
        errno.EADDRINUSE: "another process listens there. End it, or give another --port",
        errno.EACCES: "that port is for root alone. Give a --port from 1024 on",
        errno.EADDRNOTAVAIL: "this machine hasn't that address. 0.0.0.0 stands for all it has",
        socket.EAI_NONAME: "no address has that name",
    }
    reason = known.get(error.errno or 0, error.strerror or str(error))
    return f"Can't listen on {host}:{port}: {reason}."
