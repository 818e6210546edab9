"""A knowledge base that is sent much is no burden to the others."""

from ingest.jobs import Jobs
from ingest.parsing import GoOn, always
from ingest.types import Parsed, Stage
from tests.ingest.workshop import CountingParser, NewJobs, Workshop, finished, request


class Noting(CountingParser):
    """Notes in which order files are parsed."""

    def __init__(self) -> None:
        super().__init__()
        self.parsed: list[str] = []

    def parse(
        self, data: bytes, name: str, media_type: str | None = None, go_on: GoOn = always
    ) -> Parsed:
        self.parsed.append(data.decode())
        return super().parse(data, name, media_type)


def test_two_hundred_that_wait_elsewhere_delay_one_by_a_few(
    shop: Workshop, new_jobs: NewJobs
) -> None:
    small, _ = shop.engine.create("small")
    parser = Noting()
    jobs: Jobs = new_jobs(2, parser)
    jobs.submit(shop.kb, [request(f"{n}", f"Many {n}.") for n in range(200)])
    [one] = jobs.submit(small, [request("one", "One.")])
    jobs.start()
    assert finished(jobs, one) == [Stage.DONE]
    assert parser.parsed.index("One.") <= 2


def test_all_that_wait_have_their_turns(shop: Workshop, new_jobs: NewJobs) -> None:
    others = [shop.engine.create(name)[0] for name in ("first", "second")]
    parser = Noting()
    jobs: Jobs = new_jobs(1, parser)
    sent = [(shop.kb, 6), (others[0], 2), (others[1], 1)]
    accepted = [
        job
        for kb, count in sent
        for job in jobs.submit(kb, [request(f"{n}", f"{kb.name} {n}.") for n in range(count)])
    ]
    jobs.start()
    assert set(finished(jobs, *accepted)) == {Stage.DONE}
    order = " ".join(text.split()[0] for text in parser.parsed)
    assert order == "docs first second docs first docs docs docs docs"
