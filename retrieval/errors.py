"""What can go wrong in retrieval.

    RetrievalError
    ├── NotFound
    │   ├── KnowledgeBaseNotFound
    │   ├── DocumentNotFound
    │   ├── PageNotFound
    │   ├── FeedbackNotFound
    │   ├── KeyNotFound
    │   └── AnswerNotFound
    ├── KnowledgeBaseExists       one that was to be new
    ├── Unauthorized              no key, or one that isn't valid
    ├── NotPermitted              a key that isn't for that
    │   └── QuotaExceeded             its knowledge bases hold as much as it may add to them
    ├── InvalidRequest            a name, filter or query that can't be understood
    ├── ModelMismatch             the index was built with another embedding model
    ├── ModelUnavailable          the embedding model can't be loaded, or isn't what it says
    ├── TextTooLong               a text exceeds the embedder's window
    ├── EmbeddingFailed           the model failed on a text
    ├── ModelServerError          a server of models didn't do what it was asked to
    │   ├── ModelServerUnavailable    it can't be reached, or fails however often it is asked
    │   │   └── ModelServerCrashed        the model's runner died, perhaps of what it was given
    │   ├── ModelServerRefused        it said no: trying again won't help
    │   └── ModelServerBroken         its answer broke off, or isn't what the protocol promises
    ├── Overloaded                a queue is full; try again later
    ├── Superseded                what the work rests on was changed meanwhile; do it again
    ├── StoreUnavailable          a store can't be reached or read
    │   ├── StillHeld                 others have been at the same for as long as one waits
    │   └── DataLost                  what it kept is gone or damaged: it won't come back
    └── DataDirectoryLocked       another process uses the data directory

No HTTP in here: `api.errors` maps kinds to status codes. A message says what was wrong, with
what value, and what to do.
"""


class RetrievalError(Exception):
    """Anything that retrieval raises on purpose."""


class NotFound(RetrievalError):
    """The thing asked for doesn't exist."""


class KnowledgeBaseNotFound(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no knowledge base named {name!r}. Create it first.")


class KnowledgeBaseExists(RetrievalError):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is a knowledge base named {name!r} already.")


class DocumentNotFound(NotFound):
    def __init__(self, document_id: str, knowledge_base: str, version: str | None = None) -> None:
        of = "" if version is None else f" with a version {version!r}"
        super().__init__(f"Knowledge base {knowledge_base!r} has no document {document_id!r}{of}.")


class PageNotFound(NotFound):
    def __init__(self, document: str, number: int, pages: int) -> None:
        super().__init__(f"{document} has no page {number}: its pages are 1 to {pages}.")


class FeedbackNotFound(NotFound):
    def __init__(self, feedback_id: str, knowledge_base: str) -> None:
        super().__init__(f"Knowledge base {knowledge_base!r} has no feedback {feedback_id!r}.")


class KeyNotFound(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no key with the id {name!r}, nor a live one of that name: see "
            f"`footnote keys list`."
        )


class AnswerNotFound(NotFound):
    def __init__(self, answer_id: str, where: str) -> None:
        super().__init__(
            f"{where} has no stored answer {answer_id!r}. With FOOTNOTE_STORE_ANSWERS=true answers "
            f"are stored; they go with any document that they hold text of."
        )


class Unauthorized(RetrievalError):
    """Nobody knows who asks: there is no key, or one that isn't valid."""


class NotPermitted(RetrievalError):
    """It is known who asks, and that their key isn't for that."""


class QuotaExceeded(NotPermitted):
    def __init__(self, most: int, there: int) -> None:
        super().__init__(
            f"This key may fill its knowledge bases up to {most:,} documents; {there:,} are there "
            f"or on their way. Delete some, or ask for a key with a larger quota."
        )


class InvalidRequest(RetrievalError):
    """A name, filter or query that can't be understood."""


class ModelMismatch(RetrievalError):
    def __init__(self, knowledge_base: str, built_with: str, opened_with: str) -> None:
        super().__init__(
            f"Knowledge base {knowledge_base!r} was built with the embedding model {built_with}, "
            f"but this process embeds with {opened_with}. Vectors of two models can't be compared: "
            f"start with the first model again, or ingest into a new knowledge base."
        )


class ModelUnavailable(RetrievalError):
    """The embedding model can't be loaded, or its weights aren't the ones expected."""


class TextTooLong(RetrievalError):
    """A text exceeds the embedder's window; nothing is ever cut silently."""


class EmbeddingFailed(RetrievalError):
    """The model failed on a text, or gave a vector that can't be used."""


class ModelServerError(RetrievalError):
    """A server of models, Ollama's or another Footnote's, didn't do what it was asked to."""


class ModelServerUnavailable(ModelServerError):
    """It can't be reached, or fails however often it is asked. `retry_after`: the seconds that it
    asks to be left alone for, 0 where it doesn't say.
    """

    def __init__(self, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelServerCrashed(ModelServerUnavailable):
    """The model's runner died, perhaps of what it was given."""


class ModelServerRefused(ModelServerError):
    """It said no. `status` is its HTTP status (0 inside a stream), `reason` its own words."""

    def __init__(self, message: str, status: int, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class ModelServerBroken(ModelServerError):
    """Its answer broke off, or isn't what the protocol promises."""


class Overloaded(RetrievalError):
    """A queue is full; trying again in `retry_after` seconds may help."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Superseded(RetrievalError):
    """What the work rests on was changed meanwhile; doing it again helps."""


class StoreUnavailable(RetrievalError):
    """A store can't be reached, or what it holds can't be read."""


class StillHeld(StoreUnavailable):
    """Others have been at the same for as long as one waits for that."""


class DataLost(StoreUnavailable):
    """What a store kept is gone or damaged; trying again won't bring it back."""


class DataDirectoryLocked(RetrievalError):
    def __init__(self, directory: str) -> None:
        super().__init__(
            f"Another Footnote process is using {directory!r}. Two processes on one directory "
            f"would damage the index: stop the other one, use its HTTP interface, or choose "
            f"another directory with FOOTNOTE_DATA."
        )
