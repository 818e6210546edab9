import pytest

from evaluation.embedding_bench.backends import BACKENDS
from evaluation.embedding_bench.targets import Kind, Target, parse_target, with_budgets
from evaluation.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("torch", Target("torch", Kind.SCHEDULED, "usual", "torch")),
        ("raw:openvino-int8", Target("raw:openvino-int8", Kind.RAW, "usual", "openvino-int8")),
        ("a/b@raw:auto", Target("a/b@raw:auto", Kind.RAW, "a/b", "auto")),
        ("x@y@torch", Target("x@y@torch", Kind.SCHEDULED, "x@y", "torch")),
        (
            "sentence-transformers",
            Target("sentence-transformers", Kind.LIBRARY, "usual", "sentence-transformers"),
        ),
        (
            "ollama+http://h:1/hf.co/a/b:Q8",
            Target("ollama+http://h:1/hf.co/a/b:Q8", Kind.OLLAMA, "hf.co/a/b:Q8", url="http://h:1"),
        ),
        (
            "openai+https://h/proxy/v1/a/b",
            Target("openai+https://h/proxy/v1/a/b", Kind.OPENAI, "a/b", url="https://h/proxy/v1"),
        ),
        ("tei+http://h:8080/", Target("tei+http://h:8080/", Kind.TEI, url="http://h:8080")),
    ],
)
def test_a_target_is_what_its_name_says(text: str, expected: Target) -> None:
    assert parse_target(text, "usual") == expected


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_can_be_named_alone_and_raw(backend: str) -> None:
    assert parse_target(backend, "m").backend == backend
    assert parse_target(f"raw:{backend}", "m").backend == backend


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("onnx", "'onnx' names no backend that there is: auto, torch"),
        ("m@raw:", "no backend"),
        ("m@raw:sentence-transformers", "no backend"),
        ("", "no backend"),
        ("@torch", "no model before its @"),
        ("http://h/m", "what kind of server"),
        ("vllm+http://h/m", "no kind of server that is known"),
        ("raw+http://h/m", "no kind of server that is known"),
        ("ollama+http://h", "names no model: write ollama+http://HOST:PORT/MODEL"),
        ("openai+http://h/m", "names no model: write openai+http://HOST:PORT/v1/MODEL"),
        ("tei+http://", "names no host"),
        ("tei+http://h:port", "Port could not be cast"),
        ("tei+http://[1/", "Invalid IPv6"),
    ],
)
def test_a_target_that_is_none_is_refused_with_a_reason(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_target(text, "usual")
    assert said in str(refused.value)


def test_budgets_are_targets_of_their_own() -> None:
    given = [
        parse_target(one, "m") for one in ("sentence-transformers", "raw:torch", "tei+http://h")
    ]
    found = with_budgets(given, [512, 2_048])
    assert [(one.name, one.budget) for one in found] == [
        ("sentence-transformers", None),
        ("raw:torch, 512 tokens", 512),
        ("raw:torch, 2048 tokens", 2_048),
        ("tei+http://h", None),
    ]
    assert with_budgets(given, []) == tuple(given)


def test_the_same_target_twice_has_two_names() -> None:
    found = with_budgets([parse_target("torch", "m")] * 3, [])
    assert [one.name for one in found] == ["torch", "torch (2)", "torch (3)"]
