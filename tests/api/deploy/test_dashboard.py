"""What the dashboard draws is what there is to draw."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

import api.deploy

DASHBOARD: dict[str, Any] = json.loads(
    (Path(api.deploy.__file__).parent / "dashboard.json").read_text(encoding="utf-8")
)
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
LABELS = {"instance", "le"}  # which Prometheus adds, or a histogram has


@pytest.fixture(scope="module")
def known(shared: TestClient) -> dict[str, set[str]]:
    """The labels of each series there may be, by its name: also before there is any sample."""
    found: dict[str, set[str]] = {}
    metrics = shared.app.state.metrics  # type: ignore[attr-defined]
    for collector in list(metrics.registry._collector_to_names):
        labels = set(getattr(collector, "_labelnames", ()))
        for name in metrics.registry._collector_to_names[collector]:
            found.setdefault(name, set()).update(labels)
    for family in text_string_to_metric_families(shared.get("/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_there_is_a_panel_of_each_kind_of_work() -> None:
    drawn = " ".join(QUERIES)
    for work in ("http", "search", "answer", "ingest", "embedding", "store", "jobs"):
        assert f"footnote_{work}" in drawn


@pytest.mark.parametrize("query", QUERIES)
def test_each_query_names_metrics_and_labels_that_exist(
    known: dict[str, set[str]], query: str
) -> None:
    names = set(re.findall(r"(?:footnote|process)_\w+", query))
    assert names
    for name in names:
        assert name in known, name
    used = {*re.findall(r"(\w+)=~?\"", query)}
    for listed in re.findall(r"by \(([^)]*)\)", query):
        used |= {label.strip() for label in listed.split(",")}
    assert used <= LABELS.union(*(known[name] for name in names))


def test_panels_do_not_lie_on_each_other() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
