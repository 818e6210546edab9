import json

from tests.api.commands.conftest import Run


def test_the_engine_of_a_model_is_measured(run: Run) -> None:
    more = ("--documents", "50", "--rate", "50", "--rounds", "1", "--minutes", "0.01")
    found = json.loads(run("bench", "engine", "--model", "hashing", "--json", *more).stdout)
    assert found["overhead"]["slowdown"] > 0
    assert found["beside_documents"]["documents"] == 50
    assert found["soak"]["sound"] is True
    assert found["model"]["name"] == "hashing"
    told = run("bench", "engine", "--model", "hashing", *more).stdout
    assert "at saturation" in told and "never ended 0" in told


def test_an_unknown_backend_is_wrong_usage(run: Run) -> None:
    assert run("bench", "engine", "--backend", "nope").exit_code == 2
