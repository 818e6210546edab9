"""Embedding backends and servers side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from api.commands.bench.reporting import (
    HtmlOption,
    MarkdownOption,
    check_writable,
    command_line,
    publish,
)
from api.commands.options import JsonOption, settings
from api.console import fail
from api.progress import tracking
from evaluation.embedding_bench.agreement import reference_of
from evaluation.embedding_bench.measuring import Plan, measure
from evaluation.embedding_bench.report import report_of
from evaluation.embedding_bench.targets import parse_target, with_budgets
from evaluation.embedding_bench.texts import BUILT_IN, TextSet, built_in, from_file, from_set
from evaluation.errors import EvaluationError
from evaluation.latency import Load
from evaluation.test_set import TestSet, read_set
from retrieval.processor import available_cores

_TARGETS = ["sentence-transformers", "auto"]


def embed(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TARGET",
            help="What is compared, the first being what the others are held against: BACKEND, "
            "MODEL@BACKEND, or a server as ollama+URL/MODEL, openai+URL/v1/MODEL, tei+URL. By "
            "default sentence-transformers and auto.",
            show_default=False,
        ),
    ] = None,
    budget: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="Padded tokens of a batch; may be repeated: each backend is measured at each.",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, help="Cores and threads of each target; by default all there are, and no more."
        ),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Built-in texts: short (questions), chunks (as they are indexed), mixed (8 to "
            "230 words); may be repeated. By default all three, unless --texts or --quality gives "
            "others.",
        ),
    ] = None,
    texts: Annotated[
        list[Path] | None, typer.Option(help="A file of texts, one a line; may be repeated.")
    ] = None,
    quality: Annotated[
        Path | None,
        typer.Option(
            help="A BEIR folder: measure nDCG@10 on it, each document one vector, cut at the "
            "window. Its documents and questions are the texts, unless others are given."
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(min=1, help="Texts of a set; a GPU wants thousands to be kept busy."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each set is embedded.")] = 7,
    rate: Annotated[
        list[float] | None,
        typer.Option(
            min=0.01,
            help="Single texts a second for latency; may be repeated. By default 10, 30, 50, 70 "
            "and 90 % of what each target bears.",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0, help="How long each rate is kept up; 0: no latency.")
    ] = 5.0,
    request_texts: Annotated[
        int, typer.Option(min=1, help="Texts of a request to a server, for throughput.")
    ] = 32,
    requests: Annotated[
        int, typer.Option(min=1, help="Requests to a server at once, for throughput.")
    ] = 4,
    reference: Annotated[
        str,
        typer.Option(
            help="The target whose vectors are right; by default sentence-transformers, or torch."
        ),
    ] = "",
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds a target may take for a step.")
    ] = 600.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the texts, and of when they come.")] = 0,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare ways to embed: speed, latency, memory, and what their vectors are worth.

    A target is a backend of Footnote's engine under its scheduler: auto,
    torch, torch-bf16, torch-fp16, openvino, openvino-bf16, openvino-int8;
    raw:BACKEND, the same without the scheduler; sentence-transformers, that
    library with its defaults; or a running server. Each has a process of its
    own with as many threads as the others, and they take turns on the same
    texts, round by round.

    \b
    footnote bench embed
    footnote bench embed torch raw:torch --set mixed
    footnote bench embed torch openvino-int8 --quality SCIFACT --html out.html
    footnote bench embed openvino --budget 512 --budget 2048 --seconds 0
    footnote bench embed torch intfloat/e5-small-v2@torch --quality SCIFACT
    footnote bench embed torch ollama+http://127.0.0.1:11434/all-minilm
    footnote bench embed torch torch            (what differs is noise)

    The exit status is 1 where a target couldn't be measured; the others are,
    all the same. What is misused ends it with status 2.
    """
    found = settings(None).engine()
    check_writable(html, markdown)
    try:
        given = [parse_target(one, found.embedding_model) for one in targets or _TARGETS]
        entered = with_budgets(given, budget or ())
        test_set = read_set(quality) if quality else None
        plan = Plan(
            targets=entered,
            sets=_sets(sets or (), texts or (), test_set, count, seed),
            quality=test_set,
            rounds=rounds,
            load=Load(tuple(rate or ()), seconds, seed),
            reference=reference_of(entered, reference),
            threads=min(threads or available_cores(), available_cores()),
            request_texts=request_texts,
            requests=requests,
            patience=patience,
            seed=seed,
            command=command_line(),
        )
    except EvaluationError as error:
        fail(str(error), 2)
    with tracking() as track:
        bench = measure(plan, found, track)
    publish(report_of(bench), bench.to_json(), html, markdown, as_json=as_json)
    if bench.failed:
        raise typer.Exit(1)


def _sets(
    names: Sequence[str],
    files: Sequence[Path],
    test_set: TestSet | None,
    count: int | None,
    seed: int,
) -> tuple[TextSet, ...]:
    """Those that were asked for; without any, those of the retrieval set, or all built-in ones."""
    for name in names:
        if name not in BUILT_IN:
            raise typer.BadParameter(f"{name!r} is no set of texts: {', '.join(BUILT_IN)} are.")
    asked = [built_in(name, count, seed) for name in dict.fromkeys(names)]
    asked += [from_file(path, count, seed) for path in files]
    if asked:
        return tuple(asked)
    if test_set:
        return from_set(test_set, count, seed)
    return tuple(built_in(name, count, seed) for name in BUILT_IN)
