"""A sentence-transformers model's forward pass, from texts or from the ids they have already."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from retrieval.embedding.tokens import Padding, TokenizedText

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Pass = Callable[[Sequence[TokenizedText]], torch.Tensor]
"""Texts to their sentence embeddings `(n, d)`, on the model's device."""


def by_texts(model: "SentenceTransformer") -> Pass:
    """As the model does it: it tokenises once more."""

    def run(texts: Sequence[TokenizedText]) -> torch.Tensor:
        found: torch.Tensor = model.encode(
            [text.text for text in texts],
            prompt="",
            batch_size=max(1, len(texts)),
            show_progress_bar=False,
            convert_to_tensor=True,
            normalize_embeddings=True,
        )
        return found

    return run


def by_ids(model: "SentenceTransformer", padding: Padding) -> Pass:
    """On ids that are there. To a GPU they go from pinned memory, beside what it computes."""
    names = feature_names(model)
    device = model.device
    on_gpu = device.type == "cuda"

    def run(texts: Sequence[TokenizedText]) -> torch.Tensor:
        ids, mask = map(torch.from_numpy, padding.batch(texts))
        if on_gpu:
            ids, mask = ids.pin_memory(), mask.pin_memory()
        ids, mask = (each.to(device, non_blocking=True) for each in (ids, mask))
        with torch.inference_mode():
            found: torch.Tensor = model(features(names, ids, mask))["sentence_embedding"]
            return torch.nn.functional.normalize(found.float(), dim=1)

    return run


def feature_names(model: "SentenceTransformer") -> tuple[str, ...]:
    """What the model's own tokenizer gives it."""
    given = model.preprocess(["text"])
    return tuple(name for name, value in given.items() if isinstance(value, torch.Tensor))


def features(
    names: Sequence[str], ids: torch.Tensor, mask: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Those of single texts, all of one segment. Raises KeyError where a model wants more."""
    known = {
        "input_ids": ids,
        "attention_mask": mask,
        "token_type_ids": torch.zeros_like(ids),
    }
    return {name: known[name] for name in names}
