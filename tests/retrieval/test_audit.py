from pathlib import Path

from retrieval.audit import AuditLog, Entry
from tests.catalogues import catalogue_in


def test_entries_are_told_the_newest_first(tmp_path: Path) -> None:
    log = AuditLog(catalogue_in(tmp_path))
    entries = [Entry(key, "PUT", "/kb/{kb}", 201, "kb", "d", "r") for key in ("a", "b", "a")]
    for entry in entries:
        log.add(entry)
    assert log.newest(2) == entries[:0:-1]
    assert log.newest(10, "a") == [entries[2], entries[0]]


def test_what_a_stranger_made_up_is_cut(tmp_path: Path) -> None:
    log = AuditLog(catalogue_in(tmp_path))
    log.add(Entry("", "GET", "/kb/{kb}", 401, "x" * 100_000))
    assert len(log.newest(1)[0].knowledge_base) == 200
    log.add(Entry("", "GET", "/kb/{kb}", 401, "a\x1b[2J\udc80"))
    assert log.newest(1)[0].knowledge_base == r"a\x1b[2J\udc80"


def test_the_oldest_are_forgotten(tmp_path: Path) -> None:
    log = AuditLog(catalogue_in(tmp_path), kept=50)
    for number in range(200):
        log.add(Entry("", "GET", "/", number))
    assert [entry.status for entry in log.newest(1_000)] == [*range(199, 149, -1)]
