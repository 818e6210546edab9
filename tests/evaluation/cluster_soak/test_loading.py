import anyio
import pytest

from api.standin.server import running
from evaluation.cluster_soak.loading import Loader
from tests.evaluation.serving_soak.conftest import FakeBase, soak_of


def loaded(fake: FakeBase, count: int) -> tuple[Loader, list[str], list[int]]:
    """A loader that has done what it could, the kinds of faults, and the progress that was told."""
    told: list[int] = []
    with running(fake.app) as url:
        soak = soak_of(url)
        loader = Loader(soak.library, count, 0, told.append)
        anyio.run(loader.run)
        return loader, list(soak.faults.counts), told


@pytest.mark.parametrize("count", [1, 64, 100])
def test_all_documents_are_there_when_it_ends(count: int) -> None:
    fake = FakeBase()
    loader, faults, told = loaded(fake, count)
    assert not faults
    assert loader.share == 1
    assert sorted(told) == list(range(1, count + 1))
    there = sorted(one["uri"] for one in fake.documents.values())
    assert there == sorted(held.writing.uri for held in loader.held)
    assert len(set(there)) == count


def test_what_was_given_up_is_told_and_counts_as_over() -> None:
    loader, faults, _ = loaded(FakeBase("fails jobs"), 5)
    assert faults == ["lost write"]
    assert loader.share == 1
    assert len(loader.given_up) == 5
    assert not loader.held
