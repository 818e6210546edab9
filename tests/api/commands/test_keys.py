import re
from pathlib import Path

import pytest

from api.service import open_service
from api.settings import Settings
from retrieval.access import Scope
from retrieval.audit import AuditLog, Entry
from retrieval.engine import catalogue
from retrieval.errors import InvalidRequest, KeyNotFound
from retrieval.keys import ApiKeys
from retrieval.settings import EngineSettings
from tests.api.commands.conftest import Printed, Run


def test_a_key_is_printed_once_and_works(run: Run, printed: Printed, tmp_path: Path) -> None:
    result = run("keys", "create", "laptop")
    token = result.stdout.strip()
    assert re.fullmatch(r"fn_\S+", token)
    assert "only its hash" in result.stderr
    [listed] = printed("keys", "list")
    assert (listed["name"], listed["state"], listed["scopes"]) == ("laptop", "live", ["read"])
    assert listed["knowledge_bases"] is listed["rate"] is listed["expires_at"] is None
    secret = token.split("_", 2)[2]
    assert secret not in str(listed) + run("keys", "list").stdout
    found = ApiKeys(catalogue(EngineSettings(tmp_path / "data"))).recognised(token)
    assert found is not None
    assert found.id == listed["id"]


def test_what_a_key_is_for_is_said_and_listed(run: Run, printed: Printed) -> None:
    made = printed(
        *("keys", "create", "crawler", "--scope", "write", "--scope", "read"),
        *("--kb", "b", "--kb", "a", "--rate", "60", "--documents", "500", "--expires", "30"),
    )
    assert made["token"].startswith(f"fn_{made['id']}_")
    assert made["scopes"] == [Scope.READ, Scope.WRITE]
    assert made["knowledge_bases"] == ["a", "b"]
    assert (made["rate"], made["max_documents"]) == (60, 500)
    assert made["expires_at"] - made["created_at"] == pytest.approx(30 * 24 * 3600)
    row = run("keys", "list").stdout.splitlines()[1]
    for told in (made["id"], "crawler", "live", "read, write", "a, b", "60", "500"):
        assert told in row


def test_a_key_is_revoked_by_name_or_id(run: Run, printed: Printed) -> None:
    first, second = (printed("keys", "create", name)["id"] for name in ("one", "two"))
    assert run("keys", "revoke", "one").stdout == f"one ({first}): revoked\n"
    assert printed("keys", "revoke", second)["state"] == "revoked"
    assert [one["state"] for one in printed("keys", "list")] == ["revoked", "revoked"]
    with pytest.raises(KeyNotFound, match="footnote keys list"):
        run("keys", "revoke", "one")


def test_a_key_that_cannot_be_is_not_made(run: Run, printed: Printed) -> None:
    with pytest.raises(InvalidRequest, match="rate is 0"):
        run("keys", "create", "laptop", "--rate", "0")
    assert run("keys", "create", "laptop", "--scope", "everything").exit_code == 2
    assert printed("keys", "list") == []


def test_keys_are_made_while_a_server_runs(run: Run, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", embedding_model="hashing")
    with open_service(settings) as service:
        assert not service.engine.keys.any()
        token = run("keys", "create", "laptop").stdout.strip()
        assert service.engine.keys.recognised(token) is not None


def test_who_did_what_is_told(run: Run, printed: Printed, tmp_path: Path) -> None:
    made = printed("keys", "create", "laptop")
    log = AuditLog(catalogue(EngineSettings(tmp_path / "data")))
    log.add(Entry(made["id"], "DELETE", "/kb/{kb}", 204, knowledge_base="docs"))
    deleted, created = printed("keys", "audit")
    assert (deleted["key_id"], deleted["route"]) == (made["id"], "/kb/{kb}")
    assert (created["route"], created["subject"]) == ("footnote keys create", made["id"])
    assert len(printed("keys", "audit", "--limit", "1")) == 1
    assert len(printed("keys", "audit", "--key", made["id"])) == 1
    assert "DELETE /kb/{kb}" in run("keys", "audit").stdout
