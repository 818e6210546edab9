"""Which Chroma server keeps the vectors."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ChromaSettings:
    """A Chroma server and whose place there is used; without a `url`, Chroma is embedded.

    `tenant` and `database` are made where they are missing. `token` is sent with each request.
    """

    url: str = ""
    tenant: str = "default_tenant"
    database: str = "default_database"
    token: str = field(default="", repr=False)
