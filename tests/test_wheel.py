"""The wheel works away from the checkout: rules, templates and schemas travel with it; so does an editable install."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from openclaw_forensics import version
from tests.captures_made import failing

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, built with the backend of this environment (no network)."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, as an installer would lay them."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_everything_that_is_needed_is_inside(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    data = "openclaw_forensics/_data"
    for name in (
        "rules/taxonomy.toml",
        "rules/common/rules.toml",
        "rules/formats/captures.toml",
        "schemas/result.json",
    ):
        assert f"{data}/{name}" in names
    packs = {p.parent.name for p in (ROOT / "rules").glob("*/platform.toml")}
    assert {n.split("/")[3] for n in names if n.endswith("/platform.toml")} == packs
    assert any(n.startswith(f"{data}/report_templates/") and n.endswith(".j2") for n in names)
    assert "openclaw_forensics/py.typed" in names
    assert not [n for n in names if n.startswith(("tests/", "samples/", "benchmarks/"))]


def test_the_command_runs_from_another_folder(unpacked: Path, tmp_path: Path) -> None:
    failing(tmp_path / "a.har")
    probe = "import sys, openclaw_forensics.cli as c; sys.stderr.write(c.__file__); c.main()"
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-c", probe, "analyze", "a.har", "--format", "json", "-o", "r.html"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == str(unpacked / "openclaw_forensics" / "cli" / "__init__.py")
    document = json.loads(done.stdout)
    assert document["tool"]["version"] == version()
    assert document["verdict"]["cause"] == "auth.access_token_expired"
    assert (tmp_path / "r.html").is_file()


def test_the_editable_install_runs_from_another_folder(tmp_path: Path) -> None:
    failing(tmp_path / "a.har")
    program = Path(sys.executable).with_name("openclaw-forensics.exe" if os.name == "nt" else "openclaw-forensics")
    command = [str(program), "analyze", "a.har", "--format", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=True)
    assert json.loads(done.stdout)["input"]["exchanges"] == 5


def test_the_version_is_the_projects(wheel: Path) -> None:
    assert wheel.name == f"openclaw_forensics-{version()}-py3-none-any.whl"
