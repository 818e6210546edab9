"""What every lexical store must do. An adapter's tests inherit `LexicalStoreContract`."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from retrieval.analysis import analyse
from retrieval.ports import LexicalStore, Posting
from retrieval.stores.exact_lexical import ExactLexicalStore

NewLexicalStore: TypeAlias = Callable[[], LexicalStore]

WORDS = ("run", "running", "naïve", "GPT-4o", "§ 12.3", "运费险", "退货", "C++", "1,234.56", "the")
POSTING_TEXTS = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
QUICK = settings(
    max_examples=15,
    stateful_step_count=15,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def fill(store: LexicalStore, *texts: str) -> LexicalStore:
    """The store with these texts, the chunks "0", "1" ... of the documents "d0", "d1" ..."""
    store.upsert([Posting(str(n), f"d{n}", text) for n, text in enumerate(texts)])
    return store


def found(store: LexicalStore, text: str) -> list[str]:
    return [hit.id for hit in store.query(text, 100)]


class LexicalStoreContract:
    """Inherit it, and give it a fixture `new_store` that makes empty stores."""

    def test_an_empty_store_finds_nothing(self, new_store: NewLexicalStore) -> None:
        store = new_store()
        assert store.count() == 0
        assert store.query("anything", 10) == []
        assert store.frequencies(["anything"]) == {"anything": 0}

    @pytest.mark.parametrize("text", ["", " \n", "?!", "\0", "🙂"])
    def test_a_text_without_terms_finds_nothing(
        self, new_store: NewLexicalStore, text: str
    ) -> None:
        assert found(fill(new_store(), "a text", ""), text) == []

    @pytest.mark.parametrize(
        ("query", "text"),
        [
            ("运费险", "退货时由运费险承担邮费。"),
            ("GPT-4o", "We asked GPT-4o twice."),
            ("gpt", "We asked GPT-4o twice."),
            ("GPT4o", "We asked GPT-4o twice."),
            ("ＧＰＴ－４ｏ", "We asked GPT-4o twice."),
            ("GPT-4o", "全角的ＧＰＴ－４ｏ模型"),
            ("§ 12.3", "As § 12.3 says,"),
            ("§12.3", "as § 12.3 says"),
            ("naive", "A naïve baseline"),
            ("naïve", "a NAIVE baseline"),
            ("running", "They run."),
            ("run", "Running!"),
            ("1234.56", "It cost 1,234.56 euros"),
            ("ISO 9001", "certified to ISO-9001:2015"),
            ("C++", "written in C++."),
            ("C#", "written in C#, not in C"),
            (".NET", "the .NET runtime"),
            ("someone@example.com", "Write to someone@example.com."),
            ("company", "the company’s own"),
            ("𠮷野家", "在𠮷野家吃饭"),
            ("서울", "서울특별시"),
        ],
    )
    def test_it_finds(self, new_store: NewLexicalStore, query: str, text: str) -> None:
        assert found(fill(new_store(), "something else", text), query) == ["1"]

    @pytest.mark.parametrize(
        ("query", "exact", "other"),
        [
            ("GPT-4o", "GPT-4o is here", "GPT is here"),
            ("12.3", "see 12.3 there", "see 12 there"),
            ("ISO-9001", "an ISO-9001 audit", "an ISO audit"),
            ("C++", "some C++ code", "some C code"),
            ("运费险", "有运费险吗", "有保险费吗"),
        ],
    )
    def test_the_exact_form_comes_first(
        self, new_store: NewLexicalStore, query: str, exact: str, other: str
    ) -> None:
        assert found(fill(new_store(), other, exact, "nothing"), query)[0] == "1"

    @pytest.mark.parametrize(
        "text", ["a AND b", "-a", "id:0", 'a"', "a^9", "(((", "[* TO *]", "a:b~2", "body:*", "a\\"]
    )
    def test_a_query_has_no_syntax(self, new_store: NewLexicalStore, text: str) -> None:
        store = fill(new_store(), "an alpha", "b beta")
        assert set(found(store, text)) <= set(found(fill(ExactLexicalStore(), "", "b"), text))

    def test_a_number_is_not_its_digits(self, new_store: NewLexicalStore) -> None:
        assert found(fill(new_store(), "12 and 3", "123", "12.30"), "12.3") == []

    def test_an_upsert_replaces(self, new_store: NewLexicalStore) -> None:
        store = fill(new_store(), "first text")
        fill(store, "second text")
        assert store.count() == 1
        assert (found(store, "first"), found(store, "second")) == ([], ["0"])
        assert store.frequencies(["text"]) == {"text": 1}

    def test_of_an_id_given_twice_the_last_counts(self, new_store: NewLexicalStore) -> None:
        store = new_store()
        store.upsert([Posting("a", "d", "first"), Posting("a", "d", "second")])
        assert store.count() == 1
        assert (found(store, "first"), found(store, "second")) == ([], ["a"])

    def test_what_is_deleted_is_not_found(self, new_store: NewLexicalStore) -> None:
        store = fill(new_store(), "one text", "two texts", "a third text")
        store.delete(["1", "never there"])
        assert store.count() == 2
        assert sorted(found(store, "text")) == ["0", "2"]
        assert store.frequencies(["text", "two"]) == {"text": 2, "two": 0}

    def test_nothing_may_be_written_and_deleted(self, new_store: NewLexicalStore) -> None:
        store = new_store()
        store.upsert([])
        store.delete([])
        assert store.count() == 0

    def test_k_bounds_the_hits(self, new_store: NewLexicalStore) -> None:
        store = fill(new_store(), "text", "text", "text")
        assert [len(store.query("text", k)) for k in (0, 1, 2, 3, 4, 10**9)] == [0, 1, 2, 3, 3, 3]

    def test_ties_are_ordered_by_id_even_at_the_cut(self, new_store: NewLexicalStore) -> None:
        store = new_store()
        for id_ in ("c", "e", "a", "d", "b"):
            store.upsert([Posting(id_, "document", "the same text")])
        assert [hit.id for hit in store.query("same", 2)] == ["a", "b"]
        assert [hit.id for hit in store.query("same", 5)] == ["a", "b", "c", "d", "e"]

    def test_documents_restrict_and_leave_scores_alone(self, new_store: NewLexicalStore) -> None:
        store = fill(new_store(), "a text", "text text", "another text of more words", "none")
        everywhere = store.query("text", 10)
        assert store.query("text", 10, {"d0", "d2", "unknown"}) == [
            hit for hit in everywhere if hit.id in ("0", "2")
        ]
        assert store.query("text", 10, []) == []

    def test_a_repeated_query_term_counts_once(self, new_store: NewLexicalStore) -> None:
        store = fill(new_store(), "one text", "two words")
        assert store.query("text text text", 5) == store.query("text", 5)

    @pytest.mark.parametrize(
        ("question", "about"),
        [("What is it that a harbour has?", "a harbour"), ("港口是什么时候疏浚的?", "港口疏浚")],
    )
    def test_what_is_asked_about_decides(
        self, new_store: NewLexicalStore, question: str, about: str
    ) -> None:
        others = [f"table {n}" for n in range(20)]
        store = fill(new_store(), about, "what is it that has", "是什么时候的", *others)
        assert found(store, question)[0] == "0"

    def test_a_query_of_nothing_but_function_words_finds_them(
        self, new_store: NewLexicalStore
    ) -> None:
        store = fill(new_store(), "The Who", "To be or not to be", "something else")
        assert found(store, "the who") == ["0"]
        assert found(store, "to be or not to be") == ["1"]

    def test_a_very_long_token_finds_itself(self, new_store: NewLexicalStore) -> None:
        token = "ACGT" * 20_000
        store = fill(new_store(), f"before {token} after", token[:-4])
        assert found(store, token.lower()) == ["0"]

    def test_scores_are_the_formula(self, new_store: NewLexicalStore) -> None:
        @given(st.lists(POSTING_TEXTS, max_size=12), POSTING_TEXTS)
        @QUICK
        def equal_the_exact_store(texts: list[str], query: str) -> None:
            hits = fill(new_store(), *texts).query(query, 100)
            exact = fill(ExactLexicalStore(), *texts).query(query, 100)
            assert {hit.id: hit.score for hit in hits} == pytest.approx(
                {hit.id: hit.score for hit in exact}, rel=1e-4
            )
            assert [hit.score for hit in hits] == sorted((h.score for h in hits), reverse=True)

        equal_the_exact_store()

    def test_it_finds_what_the_exact_store_finds_after_any_history(
        self, new_store: NewLexicalStore
    ) -> None:
        class History(LexicalStoreHistory):
            def __init__(self) -> None:
                super().__init__(new_store())

        run_state_machine_as_test(History, settings=QUICK)


class LexicalStoreHistory(RuleBasedStateMachine):
    """Writes, replacements and deletes in any order, compared with a fresh exact store.

    Scores are left out: a store may count deleted chunks in its statistics for a while.
    """

    ids = st.integers(0, 12).map(str)

    def __init__(self, store: LexicalStore) -> None:
        super().__init__()
        self.store = store
        self.postings: dict[str, Posting] = {}

    @rule(postings=st.lists(st.builds(Posting, ids, st.sampled_from("de"), POSTING_TEXTS)))
    def upsert(self, postings: list[Posting]) -> None:
        self.store.upsert(postings)
        self.postings |= {posting.id: posting for posting in postings}

    @rule(ids=st.lists(ids, max_size=5))
    def delete(self, ids: list[str]) -> None:
        self.store.delete(ids)
        for id_ in ids:
            self.postings.pop(id_, None)

    @rule(text=POSTING_TEXTS, documents=st.none() | st.sets(st.sampled_from("def")))
    def query(self, text: str, documents: set[str] | None) -> None:
        hits = self.store.query(text, 100, documents)
        assert {hit.id for hit in hits} == {
            hit.id for hit in self.exact().query(text, 100, documents)
        }
        assert hits == sorted(hits, key=lambda hit: (-hit.score, hit.id))

    @rule(text=POSTING_TEXTS)
    def frequencies(self, text: str) -> None:
        terms = analyse(text)
        assert self.store.frequencies(terms) == self.exact().frequencies(terms)

    @invariant()
    def counts_agree(self) -> None:
        assert self.store.count() == len(self.postings)
        assert self.store.ids() == self.postings.keys()

    def exact(self) -> ExactLexicalStore:
        store = ExactLexicalStore()
        store.upsert(list(self.postings.values()))
        return store
