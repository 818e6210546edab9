"""What every backend of the default model keeps to, each inheriting it with one fixture."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from retrieval.embedding.batching import batches_by_length
from retrieval.ports import EmbeddingBackend

TEXTS = [
    "How long is the warranty?",
    "The device is covered for twenty-four months.",
    "Zebras have stripes.",
    "运费险由谁承保？",
    "A naïve café 🙂 " + "word " * 60,
    "",
    "word " * 253,
]
# Of the published model: other weights, another pooling or a library that computes otherwise
# would show here.
KNOWN = ("This is a test.", [0.03359, 0.01051, -0.01750, 0.02935])


class EmbeddingBackendContract:
    """`tolerance`: how far a number of a vector may be from the model's own. `steady`: whether it
    is the same to the last bit in every batch.
    """

    tolerance = 1e-4
    steady = True

    @pytest.fixture(scope="class")
    def backend(cls) -> EmbeddingBackend:  # noqa: N805 - pytest binds it so
        raise NotImplementedError

    def test_vectors_are_unit_and_in_the_order_of_their_texts(
        self, backend: EmbeddingBackend
    ) -> None:
        together = backend.encode(backend.tokenize(TEXTS))
        assert together.shape == (len(TEXTS), backend.identity.dimension)
        assert together.dtype == np.float32
        assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
        alone = np.concatenate([backend.encode(backend.tokenize([text])) for text in TEXTS])
        assert_allclose(together, alone, atol=max(1e-5, self.tolerance))

    def test_a_vector_does_not_depend_on_what_is_embedded_beside_it(
        self, backend: EmbeddingBackend
    ) -> None:
        if not self.steady:
            pytest.skip("its kernels differ with the number of texts")
        words = " ".join(TEXTS).split()
        texts = backend.tokenize([" ".join(words[:count]) for count in range(1, 65)])
        alone = np.concatenate([backend.encode([text]) for text in texts])
        for budget in (64, 1_024):
            for batch in batches_by_length(texts, budget):
                found = backend.encode([texts[at] for at in batch])
                assert np.array_equal(found, alone[batch])

    def test_a_vector_that_was_returned_stays(self, backend: EmbeddingBackend) -> None:
        first = backend.encode(backend.tokenize(TEXTS[:1]))
        before = first.copy()
        backend.encode(backend.tokenize(TEXTS[1:2]))
        assert np.array_equal(first, before)

    def test_a_question_is_nearer_to_its_answer(self, backend: EmbeddingBackend) -> None:
        question, answer, other, *_ = backend.encode(backend.tokenize(TEXTS))
        assert question @ answer > question @ other + 0.2

    def test_the_model_is_the_published_one(self, backend: EmbeddingBackend) -> None:
        text, beginning = KNOWN
        [vector] = backend.encode(backend.tokenize([text]))
        assert_allclose(vector[:4], beginning, atol=self.tolerance)

    def test_what_is_counted_is_what_is_tokenised(self, backend: EmbeddingBackend) -> None:
        tokenized = backend.tokenize(TEXTS)
        assert backend.count_tokens(TEXTS) == [text.count for text in tokenized]
        assert [len(text.ids) for text in tokenized] == [text.count for text in tokenized]
        assert backend.batch_tokens > 0 and backend.parallel > 0
