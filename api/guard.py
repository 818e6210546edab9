"""Who is let in, and to what: before all routes of all interfaces."""

from http import HTTPStatus

import anyio
import anyio.to_thread
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import permissions
from api.credentials import Credential, network, shown
from api.errors import CHALLENGE, answered, refused, status_of
from api.keyring import Keyring
from api.wire.doorway import with_origin
from api.wire.origins import known_origin
from api.wire.protocol import error_of, is_spoken
from retrieval.access import ANYBODY, NOBODY, Principal, acting_as
from retrieval.audit import Entry
from retrieval.errors import RetrievalError, Unauthorized

_log = structlog.get_logger()

_NAMES = ("document_id", "job_id", "answer_id", "feedback_id")


class Guard:
    """Calls the application as whoever a request shows to be, if their key is for that.

    The application's state holds the `keyring`, and the `service` with the audit log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":  # the process's own work, which nobody asks for
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http" or _is_preflight(scope):
            with acting_as(NOBODY):
                await self._app(scope, receive, send)
            return
        await _Visit(scope, send).through(self._app, receive)


class _Visit:
    """One request on its way through."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self._keyring: Keyring = scope["app"].state.keyring
        self._call = permissions.call(scope["method"], scope["path"])
        self._principal = NOBODY
        self._admitted: Credential | None = None
        self._tried = False  # a key was shown, right or wrong; no cookie
        self._status = 0  # that nobody was answered
        self._work = anyio.CancelScope()

    async def through(self, app: ASGIApp, receive: Receive) -> None:
        try:
            self._principal = await self._asker()
            permissions.check(self._principal, self._call.need)
        except RetrievalError as error:
            self._status = status_of(error)
            await _refuse(error, self._scope, receive, self._send)
        else:
            with acting_as(self._principal), self._work:
                await app(self._scope, receive, self._told)
        finally:
            with anyio.CancelScope(shield=True):
                await self._note()

    async def _asker(self) -> Principal:
        """Who asks. Raises Unauthorized, Overloaded; StoreUnavailable."""
        need = self._call.need
        if not need.asks:
            return NOBODY
        if not await self._keyring.closed():
            return ANYBODY
        credential = shown(self._scope, self._keyring.cookie)
        if not need.scopes and await self._is_nobody(credential):
            return NOBODY
        self._tried = credential is not None and not credential.session
        key = await self._keyring.admit(credential, network(self._scope))
        self._admitted = credential
        return key.principal

    async def _is_nobody(self, credential: Credential | None) -> bool:
        """An old cookie shows nobody: a page can't take it back. A wrong key is still wrong."""
        if credential is None:
            return True
        return credential.session and not await self._keyring.still(credential)

    async def _told(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if self._admitted:
                _keep_private(message)
        elif self._admitted and message.get("more_body") and not await self._goes_on():
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            self._work.cancel()
            return
        await self._send(message)

    async def _goes_on(self) -> bool:
        """Whether a stream may: not after its key was revoked."""
        assert self._admitted is not None  # noqa: S101 - only of those is it asked
        try:
            return await self._keyring.still(self._admitted)
        except RetrievalError as error:
            _log.warning("stream_ended", route=self._call.route, error=str(error))
            return False

    async def _is_to_be_noted(self) -> bool:
        """Changes by those with a key, and refusals. A flood of these isn't, nor what those without
        a key try: it would cost more than it tells.
        """
        if self._status == HTTPStatus.UNAUTHORIZED:
            return self._tried or self._call.need is permissions.SIGNING_IN
        if self._status == HTTPStatus.FORBIDDEN:
            return bool(self._key_id) and await self._keyring.notes_refusal(self._key_id)
        return self._call.need.changes and bool(self._key_id)

    @property
    def _key_id(self) -> str:
        """Of who asks, or has just signed in."""
        told: str = self._scope.get("state", {}).get("key_id", "")
        return self._principal.key_id or told

    async def _note(self) -> None:
        audit = self._scope["app"].state.service.engine.audit
        try:
            if await self._is_to_be_noted():
                await anyio.to_thread.run_sync(audit.add, self._entry())
        except RetrievalError as error:
            _log.error("not_audited", entry=self._entry(), error=str(error))

    def _entry(self) -> Entry:
        parameters = self._call.parameters
        bound = structlog.contextvars.get_contextvars()
        return Entry(
            key_id=self._key_id,
            method=self._scope["method"],
            route=self._call.route,
            status=self._status,
            knowledge_base=parameters.get("kb", ""),
            subject=next((parameters[name] for name in _NAMES if name in parameters), ""),
            request_id=str(bound.get("request_id", "")),
        )


def _is_preflight(scope: Scope) -> bool:
    """Whether a browser asks whether it may ask: it sends no key with that."""
    if scope.get("method") != "OPTIONS" or not is_spoken(scope["path"]):
        return False
    return "origin" in Headers(scope=scope)


async def _refuse(error: RetrievalError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with an error, as the protocol that is spoken writes it."""
    if not is_spoken(scope["path"]):
        await answered(error)(scope, receive, send)
        return
    response: Response = error_of(scope["path"])(refused(error))
    if isinstance(error, Unauthorized):
        response.headers.update(CHALLENGE)
    origin = Headers(scope=scope).get("origin", "")
    told = with_origin(origin, send) if known_origin(origin) else send  # so that a page can read it
    await response(scope, receive, told)


def _keep_private(start: Message) -> None:
    """Let no cache that others share keep what one key opened, and no other page show it."""
    headers = MutableHeaders(scope=start)
    headers.setdefault("cache-control", "private")
    headers.setdefault("cross-origin-resource-policy", "same-origin")
