"""What a Footnote server says of the model that it embeds with, by `/info` and `/api/show`."""

from dataclasses import dataclass

from retrieval.embedding.identity import ModelIdentity
from retrieval.errors import ModelUnavailable
from retrieval.ollama.values import Json


@dataclass(frozen=True, slots=True)
class Offer:
    """A model: what it is, and the `name` that no other one answers to; the padded tokens that the
    server best computes together, how many times side by side, and the bytes that a request may
    have.
    """

    identity: ModelIdentity
    name: str
    batch_tokens: int
    parallel: int
    request_bytes: int


def offer_of(info: Json, url: str) -> Offer:
    """What `/info` at a URL offers. Raises ModelUnavailable where it speaks of models otherwise."""
    try:
        told = info["embedder"]
        identity = ModelIdentity.from_json(told["identity"])
        offer = Offer(
            identity=identity,
            name=str(told["exact_name"]),
            batch_tokens=int(told["batch_tokens"]),
            parallel=int(told["parallel"]),
            request_bytes=int(info["limits"]["request_bytes"]),
        )
        as_it_says = identity.fingerprint == told["fingerprint"]
    except (KeyError, TypeError, ValueError) as error:
        raise strange(url) from error
    if not as_it_says:
        raise strange(url)
    return offer


def strange(url: str) -> ModelUnavailable:
    """What to raise of a server that is none of ours."""
    return ModelUnavailable(
        f"{url} isn't a Footnote server, or is one of another version: its /info doesn't say which "
        f"model it embeds with. FOOTNOTE_EMBEDDING_URL says where to look."
    )
