from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from retrieval.errors import InvalidRequest, StoreUnavailable
from retrieval.ports import Posting
from retrieval.stores import tantivy_index
from retrieval.stores.tantivy_index import TantivyLexicalStores
from tests.contracts.lexical_store import LexicalStoreContract, NewLexicalStore, fill, found


@pytest.fixture
def stores(tmp_path: Path) -> TantivyLexicalStores:
    return TantivyLexicalStores(tmp_path)


class TestTantivyLexicalStore(LexicalStoreContract):
    @pytest.fixture
    def new_store(self, stores: TantivyLexicalStores) -> NewLexicalStore:
        numbers = count()
        return lambda: stores.open(f"store-{next(numbers)}")


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    first = TantivyLexicalStores(tmp_path)
    fill(first.open("kept"), "one text", "two texts", "§ 12.3 运费险")
    first.open("kept").delete(["0"])
    first.close()

    store = TantivyLexicalStores(tmp_path).open("kept")
    assert store.count() == 2
    assert (found(store, "text"), found(store, "§ 12.3"), found(store, "运费")) == (
        ["1"],
        ["2"],
        ["2"],
    )


def test_stores_are_separate_and_dropped_by_name(stores: TantivyLexicalStores) -> None:
    fill(stores.open("one"), "text")
    fill(stores.open("two"), "", "text")
    assert stores.names() == ["one", "two"]
    stores.drop("one")
    stores.drop("one")
    assert stores.names() == ["two"]
    assert stores.open("one").count() == 0
    assert found(stores.open("two"), "text") == ["1"]


def test_what_a_broken_drop_leaves_is_no_index(
    stores: TantivyLexicalStores, tmp_path: Path
) -> None:
    fill(stores.open("one"), "text")
    stores.close()
    (tmp_path / "one" / "meta.json").unlink()
    assert stores.names() == []
    assert stores.open("one").count() == 0


def test_a_bad_name_is_refused(stores: TantivyLexicalStores) -> None:
    for refused in (stores.open, stores.drop):
        with pytest.raises(InvalidRequest):
            refused("../elsewhere")


def test_a_dropped_or_closed_store_is_unavailable(
    stores: TantivyLexicalStores, tmp_path: Path
) -> None:
    dropped, closed = stores.open("dropped"), stores.open("closed")
    stores.drop("dropped")
    with pytest.raises(StoreUnavailable, match="closed"):
        fill(dropped, "text")
    assert not (tmp_path / "dropped").exists()
    stores.close()
    for asked in (closed.count, lambda: closed.query("a", 1), lambda: closed.frequencies(["a"])):
        with pytest.raises(StoreUnavailable, match="closed"):
            asked()


@pytest.mark.parametrize("damage", ["meta.json", "*.term", "*.idx", "*.store"])
def test_a_damaged_index_is_unavailable(
    stores: TantivyLexicalStores, tmp_path: Path, damage: str
) -> None:
    fill(stores.open("one"), "some text")
    stores.close()
    (path,) = (tmp_path / "one").glob(damage)
    damaged(path, b"damage")
    with pytest.raises(StoreUnavailable, match="Check that"):
        stores.open("one")


def test_an_index_of_another_analyser_does_not_open(
    stores: TantivyLexicalStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.open("one")
    stores.close()
    monkeypatch.setattr(tantivy_index, "_TERMS", "terms_0")
    with pytest.raises(StoreUnavailable, match="schema does not match"):
        stores.open("one")


def test_threads_may_write_and_read_at_once(stores: TantivyLexicalStores) -> None:
    def write(n: int) -> int:
        store = stores.open("one")
        store.upsert([Posting(f"{n}-{at}", f"d{n}", "some text") for at in range(5)])
        return len(store.query("text", 100, [f"d{n}"]))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(write, range(24))) == [5] * 24
    assert stores.open("one").count() == 120


def test_a_deletion_that_was_cut_off_can_be_done_again(tmp_path: Path) -> None:
    """Killed between writing the list of what is deleted and naming it in `meta.json`."""
    stores = TantivyLexicalStores(tmp_path)
    store = stores.open("words")
    store.upsert([Posting(f"c{n}", "d", "some words here") for n in range(5)])
    named = (tmp_path / "words" / "meta.json").read_bytes()
    store.delete(["c1"])
    stores.close()
    (tmp_path / "words" / "meta.json").write_bytes(named)
    stores = TantivyLexicalStores(tmp_path)
    stores.verify("words")
    store = stores.open("words")
    assert len(store.ids()) == 5
    store.delete(["c1"])
    assert store.ids() == {"c0", "c2", "c3", "c4"}
    stores.verify("words")
    assert store.count() == 4
    stores.close()


@pytest.mark.parametrize("suffix", [".term", ".idx", ".store", ".fieldnorm"])
def test_a_segment_that_was_cut_off_is_no_damage(tmp_path: Path, suffix: str) -> None:
    """Killed before `meta.json` names it; one that is named is damaged if it is cut off."""
    stores = TantivyLexicalStores(tmp_path)
    fill(stores.open("words"), "some words here")
    stores.close()
    [written] = (tmp_path / "words").glob(f"*{suffix}")
    cut_off = written.with_name(f"{'0' * 32}{suffix}")
    cut_off.write_bytes(written.read_bytes()[:7])
    stores = TantivyLexicalStores(tmp_path)
    stores.verify("words")
    assert not cut_off.exists()
    assert stores.open("words").count() == 1
    stores.close()
    damaged(written, written.read_bytes()[:7])
    with pytest.raises(StoreUnavailable, match=f"damaged file, {written.name}"):
        stores.verify("words")


def damaged(path: Path, data: bytes) -> None:
    """Put these bytes in the place of a file, which may still be mapped into memory: cutting that
    off would end this process.
    """
    path.unlink()
    path.write_bytes(data)
