"""`footnote demo`."""

from contextlib import suppress

from rich.rule import Rule
from rich.text import Text

import sample_docs
from api import samples
from api.commands.ingest import print_report
from api.commands.options import DataOption, settings
from api.console import out, print_answer
from api.progress import ingesting
from api.service import Service, open_service
from evaluation.questions import SampleQuestion, read_questions
from ingest.folder import ingest_paths
from retrieval.answering import Question
from retrieval.errors import KnowledgeBaseNotFound
from retrieval.types import KnowledgeBase

DEMO_KB = "footnote-demo"


def demo(data: DataOption = None) -> None:
    """Ingest the sample documents into a fresh knowledge base and ask questions about them.

    Needs no network, no Ollama and no GPU.
    """
    found = settings(data)
    with open_service(found) as service:
        identity = service.engine.embedder.identity
        out.print(f"Embedder: {identity.name}, {identity.dimension} dimensions, in this process.")
        out.print("Answerer: extractive; it quotes the documents, no language model is used.\n")
        kb = _fresh(service)
        with ingesting() as watch:
            report = ingest_paths(
                service.pipeline, kb, [sample_docs.FOLDER], samples.PATTERNS, watch
            )
        print_report(report)
        for question in read_questions(sample_docs.FOLDER / "questions.jsonl"):
            if question.demo:
                _ask(service, kb, question)
    where = "" if data is None else f" --data {data}"
    out.print(Rule())
    out.print(
        Text(
            f"Ask more:   footnote ask --kb {DEMO_KB}{where} 'your question'\n"
            f"Serve:      footnote serve{where}\n"
            f"Then open:  http://{found.host}:{found.port}/ and choose {DEMO_KB}\n"
            f"Your files: footnote ingest{where} PATH..."
        )
    )


def _fresh(service: Service) -> KnowledgeBase:
    with suppress(KnowledgeBaseNotFound):
        service.remove_knowledge_base(service.engine.knowledge_bases.get(DEMO_KB))
    kb, _ = service.engine.create(DEMO_KB)
    return kb


def _ask(service: Service, kb: KnowledgeBase, question: SampleQuestion) -> None:
    out.print()
    out.print(Text(f"? {question.question}", style="bold cyan"))
    print_answer(service.engine.answering.ask(kb, Question(question.question)))
