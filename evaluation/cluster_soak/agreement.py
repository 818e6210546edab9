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
    """How many questions were asked of all of them: each has to find something, and the hits and
    scores have to be the same to the last bit.
    """
    chance = random.Random(f"{seed} questions")  # noqa: S311
    asked = [
        chance.choice(one.writing.facts).question
        for one in chance.sample(held, min(questions, len(held)))
    ]
    for question in asked:
        body = orjson.dumps({"query": question, "k": _K})
        told: list[tuple[int, str]] = []

        async def ask(url: str, body: bytes = body, told: list[tuple[int, str]] = told) -> None:
            reply = await exchange("POST", f"{url}/kb/{kb}/search", body)
            told.append((reply.status, _hits(reply.content) if reply.status == 200 else ""))

        async with anyio.create_task_group() as group:
            for url in urls:
                group.start_soon(ask, url)
        if len({*told}) > 1 or not all(hits for _, hits in told):
            replies = sorted(f"{status} {hits}" for status, hits in {*told})
            faults.add("disagreement", question, body.decode(), "\n".join(replies))
    return len(asked)


def _hits(content: bytes) -> str:
    """What two replies to one question have in common; "" where nothing was found."""
    found = [
        (hit["document_id"], hit["version"], hit["start"], hit["end"], hit["score"])
        for hit in orjson.loads(content)["hits"]
    ]
    return orjson.dumps(found).decode() if found else ""
