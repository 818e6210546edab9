"""What is said between the benchmark and its children: a line of JSON each way.

Vectors and texts lie in files of a folder that both know; nothing is pickled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from evaluation.embedding_bench.targets import Target


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is loaded: what of the settings a child needs."""

    device: str
    download: bool
    calibration: str
    cache: str
    ollama_host: str
    ollama_api_key: str
    ollama_requests: int


@dataclass(frozen=True, slots=True)
class Load:
    """Open the target and make its first vector."""

    target: Target
    recipe: Recipe
    do: Literal["load"] = "load"


@dataclass(frozen=True, slots=True)
class Fit:
    """Cut texts so that a model can read each after a prefix; open it for that, if it isn't."""

    model: str
    recipe: Recipe
    texts: str
    into: str
    counts: str
    prefix: str = ""
    do: Literal["fit"] = "fit"


@dataclass(frozen=True, slots=True)
class Embed:
    """Embed texts all at once; with `into` their vectors are written there."""

    texts: str
    into: str = ""
    do: Literal["embed"] = "embed"


@dataclass(frozen=True, slots=True)
class Singles:
    """Embed texts each in a request of its own, all of them waiting at once."""

    texts: str
    do: Literal["singles"] = "singles"


@dataclass(frozen=True, slots=True)
class Serve:
    """Take single texts when they are due, in seconds from the beginning."""

    texts: str
    due: tuple[float, ...]
    patience: float
    do: Literal["serve"] = "serve"


@dataclass(frozen=True, slots=True)
class Tell:
    """Say what memory is taken."""

    do: Literal["tell"] = "tell"


Order = Annotated[Load | Fit | Embed | Singles | Serve | Tell, Field(discriminator="do")]
ORDERS: TypeAdapter[Order] = TypeAdapter(Order)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was opened. `seconds` from nothing to the first vector, libraries included; `memory`
    in megabytes. All of it None or empty where it isn't known, as of a server.
    """

    seconds: float | None = None
    memory: float | None = None
    device: str = ""
    dtype: str = ""
    batch_tokens: int | None = None
    query_prefix: str = ""
    document_prefix: str = ""
    versions: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """How many texts were cut."""

    cut: int


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Served:
    """Seconds of each request; None where no answer came."""

    latencies: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Footprint:
    """Megabytes: the most that the process ever had, and of GPU memory; None: not known."""

    peak: float | None = None
    gpu: float | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Why an order couldn't be carried out."""

    failed: str
