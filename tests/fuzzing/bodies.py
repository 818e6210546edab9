"""Bodies for the calls of Ollama's, OpenAI's and Anthropic's protocols: near to what clients send,
and far from it.
"""

import json
from typing import Any

from hypothesis import strategies as st

MODELS = ["kb/kb", "KB/kb:extractive", "kb/kb:nope", "kb/none", "hashing", "all-minilm", "llama3.2"]

_TEXTS = st.text(max_size=30) | st.sampled_from(
    [
        "When is tea?",
        "运费险多久理赔？",
        "\x00",
        "\ud800",
        "a" * 3_000,
        "../../etc/passwd",
        "\r\nX: y",
    ]
)
_NUMBERS = (
    st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from([0, 1, -1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30, 1e308, 5e-324])
)
JUNK = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)
_ROLES = st.sampled_from(["user", "system", "assistant", "tool", "developer", ""])
_BLOCKS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "input_text", "image_url", "image", "tool_use", "?"])},
        optional={"text": _TEXTS | JUNK, "image_url": JUNK, "source": JUNK},
    ),
    max_size=3,
)
_CALLS = st.lists(st.fixed_dictionaries({"function": JUNK}, optional={"id": JUNK}), max_size=2)
_MESSAGE = st.fixed_dictionaries(
    {"role": _ROLES, "content": _TEXTS | _BLOCKS},
    optional={"images": JUNK, "tool_calls": _CALLS | JUNK, "thinking": _TEXTS, "name": JUNK},
)
_MESSAGES = st.lists(_MESSAGE | JUNK, max_size=4) | st.lists(_MESSAGE, min_size=1, max_size=4)
_OPTIONS = st.dictionaries(
    st.sampled_from(["temperature", "num_ctx", "num_predict", "seed", "stop", "top_p", "x"]), JUNK
)
_FORMATS = st.sampled_from(["json", "", {"type": "object"}, {"type": "json_object"}]) | JUNK
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "messages": _MESSAGES,
    "prompt": _TEXTS,
    "input": _TEXTS | st.lists(_TEXTS, max_size=4) | _MESSAGES,
    "options": _OPTIONS,
    "format": _FORMATS,
    "response_format": _FORMATS,
    "text": st.fixed_dictionaries({"format": _FORMATS}),
    "keep_alive": st.sampled_from(["5m", "-1", 0, "1e9h", ""]) | JUNK,
    "stream_options": st.fixed_dictionaries({"include_usage": st.booleans() | JUNK}),
    "encoding_format": st.sampled_from(["float", "base64", "?"]),
    "stop": _TEXTS | st.lists(_TEXTS, max_size=3),
    "reasoning": st.fixed_dictionaries({"effort": st.sampled_from(["high", "none", "?"])}),
    "files": st.dictionaries(_TEXTS, JUNK, max_size=2),
}
_NAMES = """
    name source destination from think truncate shift raw suffix system template context images
    tools dimensions verbose insecure top_logprobs max_tokens max_output_tokens temperature top_p
    top_k seed frequency_penalty presence_penalty instructions metadata reasoning_effort thinking
    stop_sequences tool_choice
""".split()


def _named(name: str) -> st.SearchStrategy[Any]:
    return _FIELDS[name] | JUNK if name in _FIELDS else JUNK


_SENSIBLE = st.fixed_dictionaries(
    {"model": st.sampled_from(MODELS)},
    optional={name: _FIELDS[name] for name in ("messages", "prompt", "input")}
    | {"stream": st.booleans(), "max_tokens": st.integers(1, 100)},
)
_ODD = st.fixed_dictionaries(
    {},
    optional={"model": st.sampled_from(MODELS) | _TEXTS | JUNK, "stream": st.booleans() | JUNK}
    | {name: _named(name) for name in [*_FIELDS, *_NAMES]},
)

# A single field that is off gets further than many.
_FIELD = st.sampled_from([*_FIELDS, *_NAMES, "stream"]).flatmap(
    lambda name: st.fixed_dictionaries({name: _named(name)})
)
_NEARLY = st.tuples(_SENSIBLE, _FIELD).map(lambda both: both[0] | both[1])


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


BODIES = (
    _SENSIBLE.map(_dumped)
    | _NEARLY.map(_dumped)
    | _ODD.map(_dumped)
    | JUNK.map(_dumped)
    | st.binary(max_size=200)
    | st.tuples(_SENSIBLE.map(_dumped), st.integers(0, 200)).map(lambda cut: cut[0][: cut[1]])
)
