import anyio
import anyio.lowlevel
import pytest

from evaluation.errors import LoadError
from evaluation.serving_soak.disturbing import run_disturbed


def test_clients_are_waited_for() -> None:
    done: list[str] = []
    disturbed = anyio.Event()

    async def client() -> None:
        await disturbed.wait()
        await anyio.lowlevel.checkpoint()
        done.append("client")

    async def disturb() -> None:
        done.append("disturb")
        disturbed.set()

    anyio.run(run_disturbed, [client, client], disturb)
    assert done == ["disturb", "client", "client"]


def test_what_cannot_be_disturbed_any_more_ends_clients_and_is_raised_as_it_is() -> None:
    ended: list[str] = []

    async def client() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("client")

    async def disturb() -> None:
        await anyio.lowlevel.checkpoint()
        raise LoadError("it ended by itself")

    with pytest.raises(LoadError, match="it ended by itself"):
        anyio.run(run_disturbed, [client, client], disturb)
    assert ended == ["client", "client"]
