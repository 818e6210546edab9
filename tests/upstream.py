"""A server that answers by hand what no Ollama server would: for tests of what stands before it."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Answer = Callable[[Request], Response]


def answering(answer: Answer) -> ASGIApp:
    """An application whose replies are these."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await answer(Request(scope, receive))(scope, receive, send)

    return app
