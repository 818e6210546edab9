import json
from pathlib import Path

from evaluation.embedding_bench.flops import Architecture, architecture_of


def test_the_default_model_is_what_its_card_says() -> None:
    """Six layers of 12 width² each, with their biases and norms, without embeddings and pooler."""
    layer = 12 * 384**2 + 9 * 384 + 4 * 384 + 4 * 384 - 4 * 384  # weights, biases, norms
    found = architecture_of("all-MiniLM-L6-v2")
    assert found
    assert (found.layers, found.width) == (6, 384)
    assert abs(found.parameters - 6 * layer) < 0.002 * found.parameters


def test_operations_are_those_of_the_formula() -> None:
    made = Architecture(parameters=1_000, layers=2, width=8)
    assert made.flops([10]) == 2 * 1_000 * 10 + 4 * 2 * 8 * 10**2
    assert made.flops([10, 10, 3]) == 2 * made.flops([10]) + made.flops([3])
    assert made.flops([]) == 0


def test_a_model_is_read_by_its_header_alone(tmp_path: Path) -> None:
    header = {
        "__metadata__": {"format": "pt"},
        "embed_tokens.weight": {"dtype": "F32", "shape": [100, 4], "data_offsets": [0, 0]},
        "layers.0.weight": {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 0]},
        "pooler.dense.weight": {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 0]},
        "layers.0.bias": {"dtype": "F32", "shape": [4], "data_offsets": [0, 0]},
    }
    written = json.dumps(header).encode()
    (tmp_path / "model.safetensors").write_bytes(len(written).to_bytes(8, "little") + written)
    (tmp_path / "config.json").write_text('{"n_layers": 3, "dim": 4}')
    assert architecture_of(str(tmp_path)) == Architecture(20, 3, 4)
    (tmp_path / "config.json").write_text(
        '{"num_hidden_layers": 3, "hidden_size": 4, "head_dim": 8, "num_attention_heads": 2}'
    )
    assert architecture_of(str(tmp_path)) == Architecture(20, 3, 16)
    (tmp_path / "config.json").write_text("{}")
    assert architecture_of(str(tmp_path)) is None


def test_what_has_no_files_here_has_no_architecture() -> None:
    assert architecture_of("hashing") is None
    assert architecture_of("no/such/model at all") is None
    assert architecture_of("ollama:all-minilm") is None
