import pytest

from api.wire.names import ModelName, parse


@pytest.mark.parametrize(
    ("text", "name", "short"),
    [
        ("tiny", ModelName("tiny"), "tiny:latest"),
        ("Tiny:7B", ModelName("Tiny", "7B"), "Tiny:7B"),
        ("kb/docs", ModelName("docs", namespace="kb"), "kb/docs:latest"),
        ("kb/docs:qwen3-4b", ModelName("docs", "qwen3-4b", "kb"), "kb/docs:qwen3-4b"),
        ("registry.ollama.ai/library/tiny:latest", ModelName("tiny"), "tiny:latest"),
        (
            "host:5000/me/tiny",
            ModelName("tiny", "latest", "me", "host:5000"),
            "host:5000/me/tiny:latest",
        ),
        (
            "hf.co/some/model-GGUF:Q4_K_M",
            ModelName("model-GGUF", "Q4_K_M", "some", "hf.co"),
            "hf.co/some/model-GGUF:Q4_K_M",
        ),
    ],
)
def test_names_and_their_defaults(text: str, name: ModelName, short: str) -> None:
    assert parse(text) == name
    assert name.short == short
    assert parse(name.full) == name


@pytest.mark.parametrize(
    "text", ["", "a b", "a:", ":x", "/a", "a/", "a//b", "a/b/c/d", "中文", "a:b:c", "-a", "a" * 81]
)
def test_what_is_no_name(text: str) -> None:
    assert parse(text) is None


def test_names_are_the_same_whatever_their_case() -> None:
    one, other = parse("KB/Docs"), parse("kb/docs:LATEST")
    assert one and other and one.key == other.key
