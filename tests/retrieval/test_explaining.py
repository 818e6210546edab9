from collections.abc import Iterator

import pytest

from retrieval.engine import open_engine
from retrieval.errors import DocumentNotFound
from retrieval.explaining import Why
from retrieval.search import Query
from retrieval.types import Mode
from tests.catalogues import engine_settings
from tests.retrieval.library import Library


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Fifty reports on the harbour, and one on something else."""
    with open_engine(engine_settings(tmp_path_factory.mktemp("why"))) as engine:
        library = Library(engine)
        for number in range(50):
            library.add(
                f"d{number:02}", f"The harbour was dredged in year {number}.", {"n": number}
            )
        library.add("other", "Glaciers are melting, says report 7 of the harbour.", {"n": 99})
        yield library
        library.indexer.close()


def why(library: Library, query: Query, uri: str) -> Why:
    [document] = [d.id for d in library.engine.documents.list(library.kb, 100) if d.uri == uri]
    return library.engine.explainer.why(library.kb, query, document)


@pytest.mark.parametrize("mode", list(Mode))
def test_ranks_are_those_of_a_search_that_returns_everything(filled: Library, mode: Mode) -> None:
    query = Query("harbour dredged", 5, mode)
    everything = filled.hits(query.text, mode, k=1_000)
    of_other = next(hit for hit in everything if hit.uri == "other")
    legs = {leg.name: leg for leg in of_other.legs}
    found = why(filled, query, "other")
    assert found.rank is None
    for name, standing in (("dense", found.dense), ("lexical", found.lexical)):
        if name not in legs:
            assert standing is None
            continue
        assert standing
        assert standing.rank == legs[name].rank
        assert standing.score == pytest.approx(legs[name].score, abs=1e-5)
    assert found.missing == ("dredg",)
    assert "It lacks 'dredg'." in found.reason
    assert found.score is not None
    assert found.last_score is not None
    assert found.score < found.last_score


def test_a_hit_says_which(filled: Library) -> None:
    found = why(filled, Query("melting glaciers"), "other")
    assert (found.rank, found.reason, found.missing) == (1, "It is hit 1 of 10.", ())


def test_what_a_filter_leaves_out(filled: Library) -> None:
    found = why(filled, Query("glaciers", filter={"n": {"$lt": 50}}), "other")
    assert (found.reason, found.rank, found.dense) == ("The filter leaves it out.", None, None)


def test_what_no_leg_can_find(filled: Library) -> None:
    found = why(filled, Query("volcano", mode=Mode.LEXICAL), "other")
    assert found.reason == "None of its chunks has a term of the query."
    found = why(filled, Query("melting volcano ashes", 1), "d03")
    assert "nowhere in the lexical leg" in found.reason


def test_what_is_not_there(filled: Library) -> None:
    with pytest.raises(DocumentNotFound):
        filled.engine.explainer.why(filled.kb, Query("glaciers"), "nothing")
