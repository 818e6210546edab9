"""What a request is refused with: the status and the text that an Ollama server would give."""


class Refusal(Exception):
    """A request that ends with an error; `text` is the whole of what the client is told."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
