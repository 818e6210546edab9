"""Tokenizers from the vocabularies that an Ollama server shows of its models.

It has no call that counts tokens, but `show` with `verbose` gives the GGUF file's metadata, from
which the tokenizer can be made again. The names are those of the GGUF specification; how the
kinds work is llama.cpp's (llama-vocab.cpp).
"""

from collections.abc import Callable, Mapping
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

_WORD_START = "\u2581"
_CONTROL = 3  # a token type: <s>, [CLS] and their like
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2 = _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
_PATTERNS = {"default": _GPT2, "gpt-2": _GPT2, "llama-bpe": _LLAMA3, "qwen2": _QWEN2}


def tokenizer_of(info: Mapping[str, Any]) -> Tokenizer | None:
    """A tokenizer that gives as many tokens as the model reads, special ones included.

    None for a kind that isn't known here, or without a vocabulary. What it counts should be
    compared with what the server counts before it is relied on.
    """
    make = _KINDS.get(str(info.get("tokenizer.ggml.model")))
    tokens = info.get("tokenizer.ggml.tokens")
    return make(info, tokens) if make and isinstance(tokens, list) else None


def upper_bound(text: str) -> int:
    """A number of tokens that no tokenizer of these kinds exceeds: one a byte, and special ones."""
    return len(text.encode("utf-8", "surrogatepass")) + 3


def _word_piece(info: Mapping[str, Any], tokens: list[str]) -> Tokenizer:
    unknown = _token(info, tokens, "unknown", "[UNK]")
    made = Tokenizer(
        models.WordPiece(
            {_word_part(token): number for number, token in enumerate(tokens)},
            unk_token=unknown,
            max_input_chars_per_word=1_000_000,
        )
    )
    made.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    first, last = _token(info, tokens, "cls", "[CLS]"), _token(info, tokens, "seperator", "[SEP]")
    ends = [(token, tokens.index(token)) for token in (first, last)]
    made.post_processor = processors.TemplateProcessing(f"{first} $A {last}", None, ends)
    return made


def _word_part(token: str) -> str:
    """A token as WordPiece has it: GGUF marks the beginnings of words, not what follows them."""
    if token.startswith("[") and token.endswith("]"):
        return token
    return token[1:] if token.startswith(_WORD_START) else f"##{token}"


def _byte_pairs(info: Mapping[str, Any], tokens: list[str]) -> Tokenizer | None:
    pattern = _PATTERNS.get(str(info.get("tokenizer.ggml.pre", "default")))
    merges = info.get("tokenizer.ggml.merges")
    if pattern is None or not isinstance(merges, list):
        return None
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    made = Tokenizer(models.BPE(vocabulary, pairs, ignore_merges="llama" in pattern))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    return _with_ends(made, info, tokens)


def _unigram(info: Mapping[str, Any], tokens: list[str]) -> Tokenizer | None:
    scores = info.get("tokenizer.ggml.scores")
    if not isinstance(scores, list):
        return None
    unknown = info.get("tokenizer.ggml.unknown_token_id", 0)
    pieces = list(zip(tokens, map(float, scores), strict=True))
    made = Tokenizer(models.Unigram(pieces, unk_id=unknown, byte_fallback=False))
    made.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    return _with_ends(made, info, tokens)


def _with_ends(made: Tokenizer, info: Mapping[str, Any], tokens: list[str]) -> Tokenizer:
    """The tokenizer, with what it puts before and after a text."""
    kinds = info.get("tokenizer.ggml.token_type")
    if isinstance(kinds, list):
        special = [t for t, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
        made.add_special_tokens([AddedToken(token, special=True) for token in special])
    ends = []
    for name, where in (("bos", 0), ("eos", 1)):
        number = info.get(f"tokenizer.ggml.{name}_token_id")
        if info.get(f"tokenizer.ggml.add_{name}_token") and isinstance(number, int):
            ends.append((where, tokens[number], number))
    if ends:
        before = [token for where, token, _ in ends if where == 0]
        after = [token for where, token, _ in ends if where == 1]
        made.post_processor = processors.TemplateProcessing(
            " ".join([*before, "$A", *after]), None, [(token, number) for _, token, number in ends]
        )
    return made


def _token(info: Mapping[str, Any], tokens: list[str], name: str, default: str) -> str:
    number = info.get(f"tokenizer.ggml.{name}_token_id")
    return tokens[number] if isinstance(number, int) else default


_KINDS: Mapping[str, Callable[[Mapping[str, Any], list[str]], Tokenizer | None]] = {
    "bert": _word_piece,
    "gpt2": _byte_pairs,
    "t5": _unigram,
}
