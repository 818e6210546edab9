"""Keys and sessions, as they are asked for and told."""

import time
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from retrieval.access import Scope
from retrieval.keys import ApiKey


class KeyReply(BaseModel):
    id: str
    name: str
    state: str = Field(description="live, revoked or expired")
    scopes: list[Scope]
    knowledge_bases: list[str] | None = Field(description="Those it is for; null: all")
    rate: int | None = Field(description="Requests a minute; null: any number")
    max_documents: int | None = Field(description="That these may hold together; null: any number")
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    last_used_at: float | None = Field(description="To the hour")

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        allowed = key.allowance
        names = allowed.knowledge_bases
        return cls(
            id=key.id,
            name=key.name,
            state=key.state(time.time()),
            scopes=sorted(allowed.scopes),
            knowledge_bases=None if names is None else sorted(names),
            rate=allowed.rate,
            max_documents=allowed.max_documents,
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
        )


class SignInRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str = Field(min_length=1, max_length=200, description="As `footnote keys create` gave it")


class SessionReply(BaseModel):
    required: bool = Field(description="Whether a key is needed")
    key: KeyReply | None = Field(description="The key of who asks, if there is one")
