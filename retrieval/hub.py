"""What Hugging Face's libraries are told before they are imported."""

import logging
import os


def prepare(*, download: bool) -> None:
    """Let them fetch nothing unless they may, and tell nobody what is loaded."""
    if not download:
        os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)


def quiet() -> None:
    """Let transformers show no progress of its own. It is imported for that, which takes long."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
