"""What a request is refused with: the status and the text that an Ollama server would give."""


class Refusal(Exception):
    """A request that ends with an error; `text` is the whole of what the client is told.

    `early`: found before the request reached a model. The compatible protocols frame it otherwise.
    `retry_after`: seconds after which asking again may help; 0 where that isn't known.
    """

    def __init__(
        self, status: int, text: str, *, early: bool = False, retry_after: int = 0
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.early = early
        self.retry_after = retry_after
