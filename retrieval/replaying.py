"""Asks the question of a stored answer again."""

from contextlib import aclosing

from retrieval.ports import Threads
from retrieval.recording import Notes, Recorder
from retrieval.records import StoredAnswer
from retrieval.replays import Replay
from retrieval.responding import Responding
from retrieval.types import KnowledgeBase


class Replayer:
    """Any thread may call it."""

    def __init__(self, responding: Responding, recorder: Recorder) -> None:
        self._responding = responding
        self._recorder = recorder

    async def replay(self, kb: KnowledgeBase, stored: StoredAnswer, threads: Threads) -> Replay:
        """The same question by the same model with the same options, to the knowledge base as it
        is now. A query that a chat model put is searched for as it was. Nothing is stored. Raises
        RetrievalError.
        """
        record, notes = stored.record, Notes()
        question, query = record.question, record.query if record.rewritten else ""
        told = self._responding.told(kb, question, record.model, threads, query)
        async with aclosing(told) as parts:
            async for one in parts:
                notes.take(one)
        return Replay(stored, await self._recorder.record(question, notes))
