"""What the native interface takes, as JSON."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictBool,
    StrictFloat,
    StrictInt,
    model_validator,
)

from api.evaluating import Wanted
from api.evaluations import Source
from api.wire.options import checked
from api.wire.refusals import Refusal
from evaluation.own_questions import OwnQuestion
from retrieval import types
from retrieval.answering import Question
from retrieval.conversation import Turn
from retrieval.errors import InvalidRequest
from retrieval.feedback import Opinion
from retrieval.fusion import Fusion
from retrieval.search import MAX_K, MAX_QUERY
from retrieval.types import Mode

MAX_DOCUMENTS = 1_000  # texts in one request
MAX_TURNS = 1_000  # of a conversation
MAX_TURN = 100_000  # characters of one
MAX_METADATA = 256  # keys of a document
MAX_VALUES = 1_000  # of one key
MAX_VALUE = 20_000  # characters of one
MAX_URI = 2_048  # characters
MAX_QUESTIONS = 10_000  # of a reindexing or an evaluation

# A name, as `all-MiniLM-L6-v2`, `org/name` or `ollama:name:tag`. Whoever asks over HTTP doesn't
# choose files of the server to be loaded.
_MODEL = r"^[A-Za-z0-9][A-Za-z0-9_.-]*([:/][A-Za-z0-9][A-Za-z0-9_.-]*){0,4}$"


def _fractional(value: object) -> object:
    """A whole number beyond 2**53 must not become a float that is another number."""
    if isinstance(value, int):
        raise ValueError("a whole number beyond 2**53; send it as text")  # noqa: TRY004 - Pydantic's
    return value


Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
Text = Annotated[str, Field(max_length=MAX_VALUE)]
Scalar = Text | bool | Whole | Annotated[FiniteFloat, BeforeValidator(_fractional)]
Key = Annotated[str, Field(min_length=1, max_length=128)]
Values = Annotated[list[Scalar], Field(max_length=MAX_VALUES)]
Metadata = Annotated[dict[Key, Scalar | Values], Field(max_length=MAX_METADATA)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChunkingSettings(_Request):
    tokens: StrictInt = Field(
        0, ge=0, le=32_768, description="Most tokens of a chunk; 0: 512, or the embedder's window"
    )
    overlap: StrictInt = Field(
        32, ge=0, le=32_768, description="Tokens repeated from one chunk to the next"
    )


class KnownItem(_Request):
    question: str = Field(min_length=1, max_length=MAX_QUERY)
    uri: str = Field(
        min_length=1, max_length=MAX_URI, description="Of the document that answers it"
    )


class ReindexRequest(_Request):
    model: str | None = Field(
        None,
        max_length=300,
        pattern=_MODEL,
        description="An embedding model by its name, not a path; by default the one it has",
    )
    chunking: ChunkingSettings | None = Field(None, description="By default as it is")
    force: StrictBool = Field(False, description="Switch even where it is significantly worse")
    questions: list[KnownItem] = Field(
        default_factory=list, max_length=MAX_QUESTIONS, description="By default made of the text"
    )

    def cut(self) -> types.Chunking | None:
        """How to cut, if that is to change."""
        asked = self.chunking
        return None if asked is None else types.Chunking(asked.tokens, asked.overlap)


class KnowledgeBaseRequest(_Request):
    description: str = Field("", max_length=2_000, description="What it is about, for people")
    chunking: ChunkingSettings = ChunkingSettings()
    fusion: Fusion = Field(Fusion.BACKGROUND, description="How the two legs become one")
    dense_weight: StrictFloat | None = Field(
        None, ge=0, le=1, description="Share of the dense leg; by default calibrated"
    )
    chat_model: str = Field(
        "", max_length=300, description="What answers: a model, or `extractive`; empty: the default"
    )
    system_prompt: str = Field("", max_length=20_000, description="Told to the chat model")
    min_confidence: StrictFloat | None = Field(
        None, ge=0, le=1, description="Probability of an answer below which none is given"
    )

    def settings(self) -> types.KnowledgeBaseSettings:
        return types.KnowledgeBaseSettings(
            chunking=types.Chunking(self.chunking.tokens, self.chunking.overlap),
            fusion=self.fusion,
            dense_weight=self.dense_weight,
            chat_model=self.chat_model,
            system_prompt=self.system_prompt,
            min_confidence=self.min_confidence,
            description=self.description,
        )


class _Described(_Request):
    title: str | None = Field(None, min_length=1, max_length=500)
    metadata: Metadata | None = None

    def kept(self) -> types.Metadata | None:
        """The metadata as it is stored."""
        return None if self.metadata is None else types.to_metadata(self.metadata)


class TextDocument(_Described):
    text: str = Field(description="The document itself")
    uri: str | None = Field(
        None, min_length=1, max_length=MAX_URI, description="Its identity; by default its content"
    )


class UrlDocument(_Described):
    url: str = Field(min_length=1, max_length=MAX_URI, description="Fetched, if that is allowed")


class TextDocuments(_Request):
    documents: list[TextDocument] = Field(min_length=1, max_length=MAX_DOCUMENTS)


class SearchRequest(_Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"query": "运费险", "k": 5, "mode": "hybrid", "filter": {"year": 2026}}]
        },
    )

    query: str = Field(max_length=MAX_QUERY)
    k: StrictInt = Field(10, ge=1, le=MAX_K)
    mode: Mode = Mode.HYBRID
    filter: dict[str, Any] = Field(default_factory=dict, description="See Filters in the README")
    explain: StrictBool = Field(False, description="Say how the legs were weighed")
    why: str | None = Field(
        None,
        max_length=MAX_URI,
        description="A document, by id or uri: say why it is found or isn't",
    )


class FeedbackRequest(_Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"question": "运费险多久理赔？", "document": "notes/1", "helpful": True}]
        },
    )

    question: str = Field(min_length=1, max_length=MAX_QUERY)
    document: str = Field(min_length=1, max_length=MAX_URI, description="Its id or uri")
    version: str | None = Field(None, max_length=128, description="By default the live one")
    start: StrictInt | None = Field(
        None, ge=0, lt=2**31, description="Of a passage, in code points of that version's text"
    )
    end: StrictInt | None = Field(None, ge=0, lt=2**31)
    helpful: StrictBool = Field(description="Whether it answers the question")

    def opinion(self, document_id: str) -> Opinion:
        return Opinion(self.question, document_id, self.helpful, self.version, self.start, self.end)


class EvaluationQuestion(_Request):
    question: str = Field(min_length=1, max_length=MAX_QUERY)
    document: str = Field(
        min_length=1, max_length=MAX_URI, description="The id or uri of one that answers it"
    )
    start: StrictInt | None = Field(None, ge=0, lt=2**31, description="Of the passage that answers")
    end: StrictInt | None = Field(None, ge=0, lt=2**31)


class EvaluationRequest(_Request):
    source: Source = Field(description="`generated` ones are sentences of the text")
    questions: list[EvaluationQuestion] = Field(
        default_factory=list,
        max_length=MAX_QUESTIONS,
        description="With `questions` as the source; a question may come again",
    )
    count: StrictInt = Field(200, ge=1, le=2_000, description="With `generated`: at most so many")

    @model_validator(mode="after")
    def _questions_are_the_source(self) -> Self:
        if (self.source is Source.QUESTIONS) != bool(self.questions):
            raise ValueError("`questions` are given if they are the source, and only then")
        return self

    def wanted(self) -> Wanted:
        given = tuple(
            OwnQuestion(f"Question {number}", one.question, one.document, one.start, one.end)
            for number, one in enumerate(self.questions, start=1)
        )
        return Wanted(self.source, given, self.count)


class TurnRequest(_Request):
    role: Literal["user", "assistant", "system"]
    content: str = Field(max_length=MAX_TURN)


class AskRequest(_Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"question": "How long is the warranty?"}]},
    )

    question: str = Field(max_length=MAX_QUERY)
    k: StrictInt = Field(10, ge=1, le=100, description="Chunks to look at")
    filter: dict[str, Any] = Field(default_factory=dict)
    stream: StrictBool = Field(False, description="Server-sent events token, citation, done")
    html: StrictBool = Field(
        False, description="Give the answer as HTML too, which is safe to show"
    )
    history: list[TurnRequest] = Field(
        default_factory=list, max_length=MAX_TURNS, description="What was said before"
    )
    model: str = Field(
        "", max_length=300, description="The chat model, or `extractive`; by default as configured"
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="For the chat model, as Ollama has them"
    )
    min_confidence: StrictFloat | None = Field(
        None, ge=0, le=1, description="As the knowledge base has it, for this question"
    )

    def asked(self) -> Question:
        """The question. Raises InvalidRequest for an option of the wrong type."""
        try:
            options = checked(self.options)
        except Refusal as refusal:
            raise InvalidRequest(refusal.text) from refusal
        history = tuple(Turn(turn.role, turn.content) for turn in self.history)
        return Question(self.question, self.k, self.filter, history, options, self.min_confidence)
