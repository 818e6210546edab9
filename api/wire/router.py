"""Paths and methods, with the plain answers that Ollama's router gives to wrong ones."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from html import escape

from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]

_ORDER = ("HEAD", "GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Route:
    """A path, in which `{name}` stands for a part and `{name*}` for the rest, and its methods."""

    path: str
    methods: Mapping[str, Handler]


class Router:
    """Finds the handler of a request."""

    def __init__(self, routes: list[Route]) -> None:
        self._routes = [(_pattern(route.path), route) for route in routes]

    def owns(self, path: str) -> bool:
        """Whether a path, give or take slashes, is one of these."""
        return self._find(_clean(path)) is not None

    async def handle(self, request: Request) -> Response:
        """The reply; 404, 405 and redirects as plain as Ollama's."""
        path = request.scope["path"]
        found = self._find(path)
        if found is None:
            if path != _clean(path) and self._find(_clean(path)):
                return _redirect(request.method, path)
            return plain("404 page not found", 404)
        route, parameters = found
        methods = route.methods
        handler = methods.get(request.method)
        if handler is None:
            return plain("405 method not allowed", 405, {"allow": _listed(methods)})
        request.scope["path_params"] = parameters
        return await handler(request)

    def route(self, path: str) -> Route | None:
        """The route of a path, if there is one."""
        found = self._find(path)
        return found[0] if found else None

    def _find(self, path: str) -> tuple[Route, dict[str, str]] | None:
        for pattern, route in self._routes:
            if found := pattern.fullmatch(path):
                return route, found.groupdict()
        return None

    def allowed(self, path: str) -> str:
        """The methods of a path, as the Allow header names them."""
        found = self._find(path)
        return _listed(found[0].methods) if found else ""


def plain(
    text: str, status: int, headers: Mapping[str, str] | None = None, *, charset: bool = False
) -> Response:
    kind = "text/plain; charset=utf-8" if charset else "text/plain"
    return Response(text, status, headers={**(headers or {}), "content-type": kind})


def _redirect(method: str, path: str) -> Response:
    """To the path as it should be: 301, but 307 where only a slash at the end is too much."""
    location = _clean(path)
    if method not in ("GET", "HEAD") and "//" not in path:
        return Response(status_code=307, headers={"location": location})
    page = f'<a href="{escape(location)}">Moved Permanently</a>.\n\n'
    headers = {"location": location, "content-type": "text/html; charset=utf-8"}
    return Response(page, 301, headers=headers)


def _listed(methods: Mapping[str, Handler]) -> str:
    return ", ".join(sorted(methods, key=_ORDER.index))


def _clean(path: str) -> str:
    return re.sub(r"/{2,}", "/", path).rstrip("/")


def _pattern(path: str) -> re.Pattern[str]:
    part = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return re.compile(re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+)", part))
