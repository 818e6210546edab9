"""What a model computes for a text, by its architecture."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from huggingface_hub import try_to_load_from_cache

from evaluation.embedding_bench.backends import packaged

_LAYERS = ("num_hidden_layers", "n_layers", "n_layer")
_WIDTH = ("hidden_size", "dim", "n_embd", "d_model")
_HEADS = ("num_attention_heads", "n_heads", "n_head")
_NO_PRODUCT = ("embed", "wte", "wpe", "pooler")  # looked up, or applied to one token a text


@dataclass(frozen=True, slots=True)
class Architecture:
    """`parameters` without those of embeddings; `width` is that of all heads together."""

    parameters: int
    layers: int
    width: int

    def flops(self, lengths: Iterable[int]) -> float:
        """Floating-point operations of one pass over texts of so many tokens.

        Two a parameter and token, and for attention 4 x layers x width x length a token: the
        products of queries with keys and of weights with values. Kaplan et al., "Scaling Laws for
        Neural Language Models", 2020, 2.1 and table 1; attention without its causal mask, which
        an encoder hasn't. Tokens that are only padding aren't counted, as in the "model FLOPs
        utilization" of Chowdhery et al., "PaLM", 2022, appendix B.
        """
        attention = 4 * self.layers * self.width
        return float(sum(2 * self.parameters * n + attention * n * n for n in lengths))


def architecture_of(model: str) -> Architecture | None:
    """That of a model whose files are on this machine; None where they don't tell."""
    folder = _folder(model)
    if folder is None:
        return None
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        parameters = sum(_parameters(path) for path in sorted(folder.glob("*.safetensors")))
        layers, width = _first(config, _LAYERS), _first(config, _WIDTH)
        if config.get("model_type") == "albert":  # one layer's weights, used in all of them
            parameters *= layers
        if head := config.get("head_dim"):
            width = head * _first(config, _HEADS)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Architecture(parameters, layers, width) if parameters else None


def _folder(model: str) -> Path | None:
    if folder := packaged(model):
        return folder
    if Path(model).is_dir():
        return Path(model)
    try:
        cached = try_to_load_from_cache(
            model if "/" in model else f"sentence-transformers/{model}", "config.json"
        )
    except ValueError:  # no name of a model
        return None
    return Path(cached).parent if isinstance(cached, str) else None


def _parameters(path: Path) -> int:
    """Those that take part in matrix products, by the header of the file alone.

    Its first eight bytes are the length of a JSON object with the shape of each tensor:
    https://huggingface.co/docs/safetensors.
    """
    with path.open("rb") as file:
        header: dict[str, Any] = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(
        prod(tensor["shape"])
        for name, tensor in header.items()
        if name != "__metadata__" and not any(part in name for part in _NO_PRODUCT)
    )


def _first(config: Mapping[str, Any], names: Iterable[str]) -> int:
    return int(config[next((name for name in names if name in config), "")])
