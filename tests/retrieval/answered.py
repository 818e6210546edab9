"""Answers that are stored, to a question about one document."""

import anyio

from retrieval.answer_log import AnswerLog
from retrieval.answering import Question
from retrieval.generating import Generating
from retrieval.recording import Recorder
from retrieval.responding import Responding
from retrieval.types import Answer
from retrieval.verifying.verifier import Verifier
from tests.retrieval.library import Library
from tests.retrieval.scripted import Scripted, threads

TEXT = "The warranty of the Kestrel lasts 24 months. Batteries are covered for 6 months."
ASKED = Question("How long does the warranty of the Kestrel last?")


def storing(
    library: Library, chat: Scripted | None = None, log: AnswerLog | None = None
) -> Responding:
    engine = library.engine
    recorder = Recorder(log or engine.answers, engine.embedders, chat)
    if chat is None:
        return Responding(engine.answering, recorder=recorder)
    generating = Generating(engine.answering, engine.documents, Verifier(engine.embedders), chat)
    return Responding(engine.answering, "", generating, chat, recorder)


def answered(
    library: Library, responding: Responding, model: str, question: Question = ASKED
) -> Answer:
    return anyio.run(responding.answer, library.kb, question, model, threads)
