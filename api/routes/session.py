"""Signing in, for pages: an EventSource and an <img> can't send a key, but a cookie goes along."""

from typing import Any

from fastapi import APIRouter, Request, Response, status

from api.credentials import Credential, network
from api.keyring import KeyringOf
from api.keys import KeyReply, SessionReply, SignInRequest
from api.replies import Problem
from api.routes.dependencies import BlockingOf, ServiceOf
from retrieval import access
from retrieval.errors import InvalidRequest
from retrieval.sessions import LASTS

router = APIRouter(tags=["session"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The key isn't valid"},
    422: {"model": Problem, "description": "The server has no keys, or the request doesn't fit"},
    429: {"model": Problem, "description": "Too many keys were tried; see Retry-After"},
}


@router.post("/session", responses=_PROBLEMS)
async def sign_in(
    body: SignInRequest,
    request: Request,
    response: Response,
    service: ServiceOf,
    blocking: BlockingOf,
    keyring: KeyringOf,
) -> SessionReply:
    """Give a key once and be known by a cookie from then on, for 30 days."""
    if not await keyring.closed():
        raise InvalidRequest("This server has no keys: nobody needs one.")
    key = await keyring.admit(Credential(body.key), network(request.scope))
    secret = await blocking.call(service.engine.sessions.open, key)
    request.state.key_id = key.id
    response.set_cookie(
        keyring.cookie,
        secret,
        max_age=LASTS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return SessionReply(required=True, key=KeyReply.of(key))


@router.get("/session")
async def session(service: ServiceOf, blocking: BlockingOf, keyring: KeyringOf) -> SessionReply:
    """Whether a key is needed, and whose the caller has."""
    who = access.asking()
    key = await blocking.call(service.engine.keys.get, who.key_id) if who else None
    return SessionReply(
        required=await keyring.closed(), key=KeyReply.of(key) if key is not None else None
    )


@router.delete("/session", status_code=status.HTTP_204_NO_CONTENT)
async def sign_out(
    request: Request,
    response: Response,
    service: ServiceOf,
    blocking: BlockingOf,
    keyring: KeyringOf,
) -> None:
    """End the session, and let the browser forget what it kept of it."""
    secret = request.cookies.get(keyring.cookie, "")
    if await keyring.still(shown := Credential(secret, session=True)):  # no write for a stranger
        await blocking.call(service.engine.sessions.end, secret)
        keyring.forget(shown)
    response.delete_cookie(keyring.cookie, httponly=True, samesite="strict")
    response.headers["Clear-Site-Data"] = '"cache"'
