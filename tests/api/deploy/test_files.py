"""The unit, the image and the compose file: what they promise stands in them, and fits the code."""

import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import api.deploy
from api.deploy.probe import ready
from api.settings import Settings

HERE = Path(api.deploy.__file__).parent
ROOT = Path(__file__).parents[3]
UNIT = (HERE / "footnote.service").read_text(encoding="utf-8")
IMAGE = (HERE / "Containerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((HERE / "compose.yaml").read_text(encoding="utf-8"))
CLUSTER: dict[str, Any] = yaml.safe_load(
    (HERE / "compose.cluster.yaml").read_text(encoding="utf-8")
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

BUILD, RUN = re.split(r"^FROM ", IMAGE, flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("text", [UNIT, IMAGE, str(COMPOSE), str(CLUSTER)])
def test_every_setting_that_is_set_exists(text: str) -> None:
    named = {name.lower() for name in re.findall(r"FOOTNOTE_([A-Z_]+[A-Z])", text)}
    assert named <= set(Settings.model_fields)


@pytest.mark.parametrize(
    "line",
    [
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "CapabilityBoundingSet=",
        "StateDirectory=footnote",
        "StateDirectoryMode=0700",
        "RestrictNamespaces=yes",
        "SystemCallFilter=@system-service",
    ],
)
def test_the_unit_is_shut_in(line: str) -> None:
    assert line in UNIT.splitlines()


def test_what_runs_in_the_image_has_no_root_and_no_tools_to_build_with() -> None:
    assert re.search(r"^USER 10001:10001$", RUN, re.MULTILINE)
    assert RUN.index("USER 10001") < RUN.index("ENTRYPOINT")
    assert "HEALTHCHECK" in RUN
    assert not re.search(r"apt-get|gcc|pip install|hatchling", RUN)
    assert "pip uninstall --yes pip" in BUILD
    installs = re.findall(r"pip install (--require-hashes|--no-deps --no-index)", BUILD)
    assert len(installs) == BUILD.count("pip install") == 3
    assert "latest" not in IMAGE


def test_the_services_are_shut_in_too() -> None:
    for service in COMPOSE["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert COMPOSE["services"]["footnote"]["ports"] == ["127.0.0.1:7373:7373"]
    assert "ports" not in COMPOSE["services"]["ollama"]
    assert (HERE / COMPOSE["services"]["footnote"]["build"]["context"]).resolve() == ROOT


def test_of_a_cluster_only_those_that_serve_are_reached() -> None:
    services = CLUSTER["services"]
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not service.get("image", "").endswith("latest")
    assert {name for name, service in services.items() if "ports" in service} == {"serve"}
    assert all(port.startswith("127.0.0.1:") for port in services["serve"]["ports"])
    ours = {name for name, service in services.items() if "outside" in service["networks"]}
    assert ours == {"serve", "work"}
    for name in ours:
        assert (HERE / services[name]["build"]["context"]).resolve() == ROOT


def test_in_a_cluster_some_serve_and_some_work_over_the_same_stores() -> None:
    serve, work = (CLUSTER["services"][name] for name in ("serve", "work"))
    assert serve["command"] == ["serve", "--no-ingest"]
    assert work["command"][0] == "work"
    assert serve["environment"] == work["environment"]
    assert {one["deploy"]["replicas"] for one in (serve, work)} == {2}
    used = {"catalogue": "DATABASE", "vectors": "CHROMA", "originals": "AWS_ENDPOINT"}
    for name, setting in used.items():
        assert any(
            setting in key and name in str(serve["environment"][key])
            for key in serve["environment"]
        )


def test_nobody_is_ready_where_nobody_listens() -> None:
    assert ready(9) is False


def _locked(name: str) -> dict[str, Version]:
    text = (HERE / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    found: dict[str, Version] = {}
    for entry in entries:
        head, *hashes = [line.strip(" \\") for line in entry.splitlines()]
        package, version = head.split(" ;")[0].strip().split("==")
        assert hashes, f"{package} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), package
        found[canonicalize_name(package.split("[")[0])] = Version(version)
    return found


def test_the_lock_fits_what_the_project_asks_for() -> None:
    locked = _locked("requirements.lock")
    extras = [PROJECT["optional-dependencies"][name] for name in ("otel", "postgres", "s3")]
    wanted = [*PROJECT["dependencies"], *itertools.chain(*extras)]
    assert len(wanted) > 40
    for one in map(Requirement, wanted):
        version = locked[canonicalize_name(one.name)]
        assert one.specifier.contains(version), f"{one} isn't {version}: lock anew, see README"


def test_what_builds_is_locked_too() -> None:
    (wanted,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    one = Requirement(wanted)
    assert one.specifier.contains(_locked("build.lock")[one.name])


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_no_lock_says_where_packages_come_from(name: str) -> None:
    assert "://" not in (HERE / name).read_text(encoding="utf-8")
