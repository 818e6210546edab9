"""What is counted as it happens: requests, searches, answers, ingested documents.

Every label comes from a list that we made: a route's template, never a path; the name of a
stage, an outcome. So nobody can make series by asking for things.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from api.metrics.buckets import DURATIONS
from retrieval.chat.extractive import ExtractiveAnswerer
from retrieval.types import Answer, Mode

UNMATCHED = "unmatched"
"""The route of a request that none takes."""

_METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
_QUOTES, _MODEL = "quotes", "model"


class RequestCounts:
    """HTTP requests by route, method and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Counter(
            "footnote_http_requests",
            "Requests that were answered",
            ["route", "method", "status"],
            registry=registry,
        )
        self._duration = Histogram(
            "footnote_http_request_duration_seconds",
            "From a request to the last byte of its reply",
            ["route", "method"],
            buckets=DURATIONS,
            registry=registry,
        )
        self.under_way = Gauge(
            "footnote_http_requests_under_way", "Requests that wait for it", registry=registry
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """`status` is 0 where the client left before there was one."""
        known = method if method in _METHODS else "other"
        self._count.labels(route, known, str(status)).inc()
        self._duration.labels(route, known).observe(seconds)


class WorkCounts:
    """Searches, answers and ingestion, as an `Observer` is told of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def durations(name: str, told: str, *labels: str) -> Histogram:
            return Histogram(name, told, labels, buckets=DURATIONS, registry=registry)

        def counts(name: str, told: str, *labels: str) -> Counter:
            return Counter(name, told, labels, registry=registry)

        self._stages = {
            work: durations(f"footnote_{work}_stage_duration_seconds", told, "stage")
            for work, told in (
                ("search", "Stages of searches: embed, scope, dense, lexical, hydrate, rerank"),
                ("answer", "Stages of answers: rewrite, draft, quote, first_token, verify ..."),
                ("ingest", "Stages of documents: parsing, chunking, embedding, writing"),
            )
        }
        self._searches = durations("footnote_search_duration_seconds", "Whole searches", "mode")
        self._answers = counts("footnote_answers", "Answers: quotes or a model's", "by", "outcome")
        self._durations = durations("footnote_answer_duration_seconds", "Whole answers", "by")
        self._broken = counts("footnote_answers_broken_off", "Answers that ended with an error")
        self._statements = counts(
            "footnote_answer_statements", "Sentences of answers, by their check", "outcome"
        )
        self._removed = counts("footnote_answer_marks_removed", "Marks of models that didn't hold")
        self._tokens = counts("footnote_answer_tokens", "Tokens of chat models", "kind")
        self._ingested = counts("footnote_ingested_documents", "Jobs that are over", "outcome")

    def took(self, work: str, stage: str, seconds: float) -> None:
        self._stages[work].labels(stage).observe(seconds)

    def searched(self, mode: Mode, seconds: float) -> None:
        self._searches.labels(mode.value).observe(seconds)

    def answered(self, answer: Answer) -> None:
        by = _QUOTES if answer.model == ExtractiveAnswerer.name else _MODEL
        self._answers.labels(by, "abstained" if answer.abstained else "answered").inc()
        self._durations.labels(by).observe(answer.timings["total"])
        for statement in answer.statements:
            self._statements.labels(statement.outcome.value).inc()
        self._removed.inc(answer.usage.unverified)
        self._tokens.labels("prompt").inc(answer.usage.prompt_tokens)
        self._tokens.labels("output").inc(answer.usage.output_tokens)

    def unanswered(self) -> None:
        self._broken.inc()

    def ingested(self, outcome: str) -> None:
        self._ingested.labels(outcome).inc()
