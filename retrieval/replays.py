"""A stored answer beside the one that its question gets now, and what differs."""

from dataclasses import asdict, dataclass

from retrieval.changes import Change, changes, diff, missing, place
from retrieval.records import Candidate, Record, StoredAnswer
from retrieval.types import Citation


@dataclass(frozen=True, slots=True)
class Replay:
    """A stored answer, and the record of the one that its question gets now."""

    stored: StoredAnswer
    now: Record

    @property
    def before(self) -> Record:
        return self.stored.record

    @property
    def same(self) -> bool:
        """Whether all is the same that is ours: the search and the prompt, to the last bit, and
        what was said unless a chat model said it.
        """
        ours = self.same_candidates and self.same_prompt
        return ours and (self.by_chat_model or self.same_answer)

    @property
    def by_chat_model(self) -> bool:
        """Whether a chat model wrote both: the same prompt may get another answer."""
        return bool(self.before.prompt and self.now.prompt)

    @property
    def same_candidates(self) -> bool:
        """Found by the same query, in the same order, with the same scores."""
        found = (self.now.query, self.now.candidates)
        return (self.before.query, self.before.candidates) == found

    @property
    def same_prompt(self) -> bool:
        return self.before.prompt == self.now.prompt

    @property
    def same_answer(self) -> bool:
        return self.before.said == self.now.said

    @property
    def changes(self) -> tuple[Change, ...]:
        """Of what decides an answer: the index, the configuration, the model."""
        return changes(_deciding(self.before), _deciding(self.now))

    @property
    def came(self) -> tuple[Candidate, ...]:
        """Candidates that weren't found then."""
        return missing(self.now.candidates, self.before.candidates)

    @property
    def gone(self) -> tuple[Candidate, ...]:
        """Candidates that aren't found any more."""
        return missing(self.before.candidates, self.now.candidates)

    @property
    def moved(self) -> tuple[tuple[Candidate, Candidate], ...]:
        """Candidates that have another rank or score: as they were, and are."""
        after = {place(one): one for one in self.now.candidates}
        pairs = ((one, after.get(place(one))) for one in self.before.candidates)
        return tuple((one, other) for one, other in pairs if other and one != other)

    @property
    def prompt(self) -> tuple[str, ...]:
        """The lines of a unified diff of the prompts; none where they are the same."""
        return diff(_prompt(self.before), _prompt(self.now))

    @property
    def text(self) -> tuple[str, ...]:
        """The lines of a unified diff of the texts."""
        return diff(self.before.said.text, self.now.said.text)

    @property
    def cited(self) -> tuple[Citation, ...]:
        """Citations that there weren't then."""
        return missing(self.now.said.citations, self.before.said.citations)

    @property
    def uncited(self) -> tuple[Citation, ...]:
        """Citations that there aren't any more."""
        return missing(self.before.said.citations, self.now.said.citations)

    @property
    def judged(self) -> tuple[Change, ...]:
        """Of how sure the answer is, its citations are, and what was found out about sentences."""
        return changes(_judgement(self.before), _judgement(self.now))


def _deciding(record: Record) -> dict[str, object]:
    return {
        "query": record.query,
        "epoch": record.epoch,
        "model": record.model,
        "digest": record.digest,
        **asdict(record.configuration),
    }


def _judgement(record: Record) -> dict[str, object]:
    said = record.said
    return {
        "abstained": said.abstained,
        "confidence": said.confidence,
        "support": {f"{one.uri} {one.start}-{one.end}": one.support for one in said.citations},
        "outcome": {f"sentence {at}": one.outcome for at, one in enumerate(said.statements, 1)},
    }


def _prompt(record: Record) -> str:
    return "\n\n".join(f"{turn.role}:\n{turn.content}" for turn in record.prompt)
