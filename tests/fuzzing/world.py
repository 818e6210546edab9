"""What is in a server that strangers send anything to: something for them to meet."""

from collections.abc import Mapping
from typing import Any

import httpx

KNOWN = "known"
"""Stands, in a case that was made up, for the name or id of what there is."""


class World:
    """A knowledge base with a document, its job, a stored answer and feedback."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._built = 0
        self._ids: dict[str, str | int] = {}
        self.build()

    def build(self) -> None:
        """Make it, or anew what a case has deleted; the first one is called `kb`."""
        self._built += 1
        self._kb = "kb" if self._built == 1 else f"kb-{self._built}"
        self._http.put(f"/kb/{self._kb}").raise_for_status()
        document = {
            "uri": "notes/1",
            "text": "The warranty lasts two years. Tea is at four. 运费险的理赔时限是七天。",
            "metadata": {"year": 2026, "team": ["legal", "sales"]},
        }
        [job] = self._post("documents?wait=true", document)["jobs"]
        opinion = {"question": "When is tea?", "document": "notes/1", "helpful": True}
        self._ids = {
            "kb": self._kb,
            "document_id": job["document_id"],
            "job_id": job["id"],
            "answer_id": self._post("ask", {"question": "When is tea?"})["id"],
            "feedback_id": self._post("feedback", opinion)["id"],
            "number": 1,
        }

    def with_ids(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters in which the known is called by its id."""
        return {k: self._ids[k] if v == KNOWN else v for k, v in parameters.items()}

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        reply = self._http.post(f"/kb/{self._kb}/{path}", json=body)
        found: dict[str, Any] = reply.raise_for_status().json()
        return found
