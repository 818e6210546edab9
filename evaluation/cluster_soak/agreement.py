"""Whether all who serve say the same."""

import random
from collections.abc import Sequence

import anyio
import orjson

from evaluation.exchange import exchange
from evaluation.serving_soak.faults import Faults
from evaluation.serving_soak.insisting import Held

_K = 10


async def check_agreement(
    urls: Sequence[str], kb: str, held: Sequence[Held], questions: int, seed: int, faults: Faults
) -> int:
    """How many questions were asked of all of them, whose hits and scores have to be the same to
    the last bit.
    """
    chance = random.Random(f"{seed} questions")  # noqa: S311
    asked = [
        chance.choice(one.writing.facts).question
        for one in chance.sample(held, min(questions, len(held)))
    ]
    for question in asked:
        body = orjson.dumps({"query": question, "k": _K})
        told: list[str] = []

        async def ask(url: str, body: bytes = body, told: list[str] = told) -> None:
            reply = await exchange("POST", f"{url}/kb/{kb}/search", body)
            told.append(_hits(reply.content) if reply.status == 200 else f"{reply.status}")

        async with anyio.create_task_group() as group:
            for url in urls:
                group.start_soon(ask, url)
        if len(set(told)) > 1:
            faults.add("disagreement", question, body.decode(), "\n".join(sorted(set(told))))
    return len(asked)


def _hits(content: bytes) -> str:
    """What two replies to one question have in common."""
    found = [
        (hit["document_id"], hit["version"], hit["start"], hit["end"], hit["score"])
        for hit in orjson.loads(content)["hits"]
    ]
    return orjson.dumps(found).decode()
