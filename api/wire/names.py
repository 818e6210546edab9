"""Model names: `[host/][namespace/]model[:tag]`."""

import re
from dataclasses import dataclass

_HOST, _NAMESPACE, _TAG = "registry.ollama.ai", "library", "latest"
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
_HOST_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")


@dataclass(frozen=True, slots=True)
class ModelName:
    """A name with its defaults filled in. Names are compared without regard to case."""

    model: str
    tag: str = _TAG
    namespace: str = _NAMESPACE
    host: str = _HOST

    @property
    def short(self) -> str:
        """The name as `tags` lists it: without what is default, but for the tag."""
        parts = [self.host] if self.host != _HOST else []
        parts += [self.namespace] if parts or self.namespace != _NAMESPACE else []
        return "/".join([*parts, self.model]) + f":{self.tag}"

    @property
    def full(self) -> str:
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"

    @property
    def key(self) -> str:
        """What two names of one model have in common."""
        return self.full.lower()


def parse(text: str) -> ModelName | None:
    """The name that a text stands for; None where it can't be one."""
    path, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:
        path, tag = text, _TAG
    *before, model = path.removeprefix("https://").removeprefix("http://").split("/")
    namespace = before.pop() if before else _NAMESPACE
    host = before.pop() if before else _HOST
    good = all(map(_PART.fullmatch, (model, namespace, tag))) and _HOST_PART.fullmatch(host)
    return ModelName(model, tag, namespace, host) if good and not before else None
