"""Asks questions about the sample documents, one by one, or all at once beside other work.

As a program it replays what is stored in a data directory, and prints what differs as JSON.
"""

import json
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio

import sample_docs
from api.routes.dependencies import in_thread
from evaluation.questions import read_questions
from ingest.folder import ingest_paths
from ingest.parsing import InProcessParser
from ingest.pipeline import Pipeline
from ingest.sources import Patterns
from ingest.types import ParseLimits
from retrieval.answering import Question
from retrieval.embedding.model_cache import ModelCache, default_cache
from retrieval.embedding.openvino import OpenVinoBackend
from retrieval.embedding.precision import Precision
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.engine import Engine, open_engine
from retrieval.ollama.settings import OllamaSettings
from retrieval.responding import EXTRACTIVE
from retrieval.settings import EngineSettings
from retrieval.types import Chunking, KnowledgeBaseSettings

FOLDER = Path(sample_docs.__file__).parent
MODELS = (EXTRACTIVE, "tiny")
_KB = "samples"
_AT_ONCE = 8


@contextmanager
def engine_of(data: Path, ollama: str) -> Iterator[Engine]:
    """An engine with the default model that stores its answers."""
    settings = EngineSettings(data, store_answers=True, ollama=OllamaSettings(ollama))
    model, cache = SentenceModel(device="cpu"), ModelCache(default_cache())
    with open_engine(settings, OpenVinoBackend(model, Precision.NATIVE, cache)) as engine:
        yield engine


def ask_one_by_one(engine: Engine) -> int:
    """Ingest, and ask each question of each model; how many there were."""
    kb, _ = engine.create(_KB, KnowledgeBaseSettings(Chunking(96, 8)))
    pipeline = Pipeline(engine, InProcessParser(ParseLimits()), 10_000_000)
    patterns = Patterns(include=("*.md", "*.txt", "*.docx"))
    ingest_paths(pipeline, kb, [FOLDER], patterns, lambda *_: None)
    engine.calibrator.refresh(kb)
    questions = [one.question for one in read_questions(FOLDER / "questions.jsonl")][::3]

    async def ask() -> None:
        for text in questions:
            for model in MODELS:
                await engine.responding.answer(kb, Question(text), model, in_thread)

    anyio.run(ask)
    return len(MODELS) * len(questions)


def replay_at_once(engine: Engine) -> list[str]:
    """Replay all that is stored, in another order; of those that differ, what does."""
    kb = engine.open(_KB)
    ids = [one.id for one in engine.answers.list(kb, 10_000)]
    random.Random(7).shuffle(ids)  # noqa: S311
    differing: list[str] = []
    over = anyio.Event()

    async def replay(answer_id: str, limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            stored = engine.answers.find(answer_id)
            found = await engine.replayer.replay(kb, stored, in_thread)
        if not (found.same and found.same_answer) or found.changes:
            differing.append(f"{found.before.question.text}: {found.changes} {found.moved[:2]}")

    async def embed() -> None:
        words = (FOLDER / "questions.jsonl").read_text(encoding="utf-8").split()
        for at in range(0, len(words), 3):
            if over.is_set():
                return
            parts = [" ".join(words[at : at + length]) for length in range(1, 40)]
            await in_thread(engine.embedder.embed_passages, parts)

    async def run() -> None:
        limiter = anyio.CapacityLimiter(_AT_ONCE)
        async with anyio.create_task_group() as beside:
            beside.start_soon(embed)
            async with anyio.create_task_group() as replays:
                for answer_id in ids:
                    replays.start_soon(replay, answer_id, limiter)
            over.set()

    anyio.run(run)
    return differing


if __name__ == "__main__":
    with engine_of(Path(sys.argv[1]), sys.argv[2]) as opened:
        print(json.dumps(replay_at_once(opened)))
