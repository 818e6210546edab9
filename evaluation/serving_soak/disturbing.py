"""Clients that are disturbed."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import anyio

from evaluation.errors import LoadError

Act = Callable[[], Coroutine[Any, Any, None]]


async def run_disturbed(clients: Iterable[Act], disturb: Act) -> None:
    """Run the clients, and beside them what disturbs them, until all are over. A LoadError of the
    latter ends them, and is raised.
    """
    failure: LoadError | None = None
    async with anyio.create_task_group() as group:
        for client in clients:
            group.start_soon(client)
        try:
            await disturb()
        except LoadError as error:
            failure = error  # a group would wrap it
            group.cancel_scope.cancel()
    if failure:
        raise failure
