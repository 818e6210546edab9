"""`python -m api.deploy.probe`: exit status 0 where the server of this container is ready.

With the standard library alone, so that it costs a few milliseconds: an image has no curl.
"""

import http.client
import os
import sys

_TIMEOUT = 4.0  # seconds


def ready(port: int) -> bool:
    """Whether the server on this port of loopback says that it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready(int(os.environ.get("FOOTNOTE_PORT", "7373"))) else 1)
