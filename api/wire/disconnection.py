"""Work for a client ends when the client goes."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio
from starlette.requests import ClientDisconnect, Request

T = TypeVar("T")


async def until_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of the work, which is cancelled when the client hangs up.

    The body must have been read. Raises ClientDisconnect.
    """
    result: list[T] = []
    failure: list[Exception] = []

    async with anyio.create_task_group() as group:

        async def run() -> None:
            try:
                result.append(await work)
            except Exception as error:  # noqa: BLE001 - raised below, not as a group
                failure.append(error)
            group.cancel_scope.cancel()

        group.start_soon(run)
        while True:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                group.cancel_scope.cancel()
                break
    if failure:
        raise failure[0]
    if not result:
        raise ClientDisconnect
    return result[0]
