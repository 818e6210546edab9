"""`footnote reindex`."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Protocol

import httpx
import typer
from pydantic import ValidationError

from api.commands.options import DataOption, JsonOption, settings
from api.console import out, print_json
from api.progress import tracking
from api.replies import KnowledgeBaseReply, ReindexReply
from api.requests import KnownItem, ReindexRequest
from api.service import Service, open_service
from evaluation.errors import EvaluationError
from evaluation.lines import numbered_lines

_LOOK = 0.2  # seconds between two looks at the progress


class Server(Protocol):
    """Where a knowledge base is reindexed: a running server, or this process."""

    def start(self, kb: str, request: ReindexRequest) -> None: ...

    def status(self, kb: str) -> dict[str, Any]: ...

    def roll_back(self, kb: str) -> dict[str, Any]: ...

    def discard(self, kb: str) -> None: ...


def reindex(
    kb: Annotated[str, typer.Argument(help="The knowledge base.")],
    model: Annotated[
        str | None, typer.Option(help="The embedding model; by default the one it has.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(help="Most tokens of a chunk; 0: 512, or the model's window.")
    ] = None,
    overlap: Annotated[int, typer.Option(help="Tokens repeated from chunk to chunk.")] = 32,
    questions: Annotated[
        Path | None,
        typer.Option(help="JSON Lines with `question` and `uri`; else they are made of the text."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Switch even to a worse one.")] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the generation before.")
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Forget the generations that aren't live.")
    ] = False,
    server: Annotated[
        str | None, typer.Option(help="A running server, like http://127.0.0.1:7373.")
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build an index with another model beside the old one, compare them, and switch.

    A significantly worse one is refused, with exit status 1. With --server the knowledge base
    goes on serving meanwhile; without, the server must be stopped.
    """
    with _server(server, data) as chosen:
        if discard:
            chosen.discard(kb)
            out.print(f"{kb}: only the live generation is kept")
            return
        if rollback:
            back = chosen.roll_back(kb)
            out.print(f"{kb}: back to {back['embedding_model']}, {back['chunks']} chunks")
            return
        chunking = None if tokens is None else {"tokens": tokens, "overlap": overlap}
        request = _request(
            {
                "model": model,
                "chunking": chunking,
                "force": force,
                "questions": list(_questions(questions)) if questions else [],
            }
        )
        chosen.start(kb, request)
        status = _followed(chosen, kb)
    if as_json:
        print_json(status)
    else:
        _print(kb, status)
    if status["state"] != "switched":
        raise typer.Exit(1)


def _followed(server: Server, kb: str) -> dict[str, Any]:
    """The status when nothing moves any more, with a bar until then."""
    with tracking() as track:
        status = server.status(kb)
        bar = track("documents", status["total"] or 1)
        while status["state"] == "building":
            time.sleep(_LOOK)
            status = server.status(kb)
            bar(status["done"])
    return status


def _print(kb: str, status: dict[str, Any]) -> None:
    if status["error"]:
        out.print(f"{kb}: {status['state']}: {status['error']}")
        return
    out.print(f"{kb}: {status['state']}, {status['model']}")
    if found := status["comparison"]:
        out.print(
            f"Mean reciprocal rank on {found['questions']} questions: {found['old']:.3f} before, "
            f"{found['new']:.3f} now (p of a loss by chance: {found['p']:.3f})."
        )
    if status["state"] == "refused":
        out.print("It is kept: --force switches to it at once, --discard forgets it.")


def _request(options: dict[str, Any]) -> ReindexRequest:
    """What the options ask for, each named as the field that it becomes. Raises BadParameter."""
    try:
        return ReindexRequest.model_validate(options)
    except ValidationError as error:
        misfits = (f"--{one['loc'][-1]}: {one['msg']}" for one in error.errors())
        raise typer.BadParameter(f"{'; '.join(misfits)}.") from error


def _questions(path: Path) -> Iterator[KnownItem]:
    for number, line in numbered_lines(path):
        try:
            yield KnownItem.model_validate(json.loads(line))
        except ValueError as error:
            raise EvaluationError(f"{path}, line {number}: {error}.") from error


@contextmanager
def _server(url: str | None, data: Path | None) -> Iterator[Server]:
    if url:
        with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
            yield _Remote(client)
    else:
        with open_service(settings(data)) as service:
            yield _Here(service)


class _Here:
    """This process, over a data directory that no server uses."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def start(self, kb: str, request: ReindexRequest) -> None:
        pairs = [(one.question, one.uri) for one in request.questions]
        self._service.reindexer.start(kb, request.model, request.cut(), pairs, force=request.force)

    def status(self, kb: str) -> dict[str, Any]:
        return ReindexReply.of(self._service.reindexer.status(kb)).model_dump()

    def roll_back(self, kb: str) -> dict[str, Any]:
        found = self._service.reindexer.roll_back(kb)
        return KnowledgeBaseReply.of(self._service.engine, found).model_dump()

    def discard(self, kb: str) -> None:
        self._service.reindexer.discard(kb)


class _Remote:
    """A running server."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def start(self, kb: str, request: ReindexRequest) -> None:
        self._call("POST", f"/kb/{kb}/reindex", request.model_dump())

    def status(self, kb: str) -> dict[str, Any]:
        return dict(self._call("GET", f"/kb/{kb}/reindex"))

    def roll_back(self, kb: str) -> dict[str, Any]:
        return dict(self._call("POST", f"/kb/{kb}/reindex/rollback"))

    def discard(self, kb: str) -> None:
        self._call("DELETE", f"/kb/{kb}/reindex")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            response = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise EvaluationError(f"{self._client.base_url} doesn't answer: {error}.") from error
        if response.is_error:
            raise EvaluationError(str(response.json().get("detail", response.text)))
        return response.json() if response.content else None
