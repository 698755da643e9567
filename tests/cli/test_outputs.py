"""What is written where: formats, the default pair, standard output, and that one input gives one document."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from openclaw_forensics.cli.app import run
from tests.captures_made import REFUSED, SECRET, entry, failing, har, healthy

BEGINNINGS = {
    "html": "<!doctype html>",
    "json": '{"schema_version"',
    "md": "# ",
    "txt": "",
    "sarif": "{",
    "xml": "<?xml",
}


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return failing(tmp_path / "in" / "a.har")


def test_every_format_is_written_and_none_shows_the_secret(capture: Path, tmp_path: Path) -> None:
    outputs = {suffix: tmp_path / "out" / f"r.{suffix}" for suffix in BEGINNINGS}
    options = [o for path in outputs.values() for o in ("-o", str(path))]
    assert run(["analyze", str(capture), "--quiet", *options]) == 0
    for suffix, path in outputs.items():
        text = path.read_text("utf-8")
        assert text.lower().startswith(BEGINNINGS[suffix])
        assert SECRET not in text
        assert SECRET[5:] not in text
    json.loads(outputs["json"].read_text("utf-8"))
    json.loads(outputs["sarif"].read_text("utf-8"))
    ET.fromstring(outputs["xml"].read_text("utf-8"))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(p.name for p in outputs.values())


@pytest.mark.parametrize("form", ["text", "json", "md"])
def test_standard_output_shows_no_secret(form: str, capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", str(capture), "--format", form, "--lang", "en"]) == 0
    shown = capsys.readouterr()
    assert shown.out
    assert SECRET[5:] not in shown.out
    assert shown.err == ""  # no progress but on a terminal


def test_json_is_the_document_alone_and_files_come_beside_it(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "r.json"
    assert run(["analyze", str(capture), "--format", "json", "-o", str(target)]) == 0
    assert capsys.readouterr().out == target.read_text("utf-8")


def test_a_file_alone_still_prints_the_summary(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "r.html"
    assert run(["analyze", str(capture), "-o", str(target), "--lang", "en"]) == 0
    assert "ruled out" in capsys.readouterr().out
    assert run(["analyze", str(capture), "-o", str(target), "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_the_default_pair_is_numbered(capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run(["analyze", str(capture), "--quiet"]) == 0
    reports = sorted(p.name for p in tmp_path.glob("openclaw-report*"))
    assert reports == ["openclaw-report-2.html", "openclaw-report-2.txt", "openclaw-report.html", "openclaw-report.txt"]


def test_an_output_that_cannot_be_written_is_said(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(["analyze", str(capture), "-o", str(tmp_path / "file" / "r.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_no_redact_on_the_terminal_and_with_consent_in_a_file(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["analyze", str(capture), "--no-redact", "--format", "json"]) == 0
    assert SECRET in capsys.readouterr().out
    leaked = tmp_path / "leak.json"
    assert run(["analyze", str(capture), "--no-redact", "--i-know-this-leaks", "-o", str(leaked), "--quiet"]) == 0
    assert SECRET in leaked.read_text("utf-8")


def test_the_case_is_printed_and_is_no_evidence(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = tmp_path / "case.toml"
    case.write_text('erp = "商通 ERP"\nsymptom = "orders stopped"\ntried = ["restart"]\n', encoding="utf-8")
    report = tmp_path / "r.html"
    options = ["--case", str(case), "--format", "json", "-o", str(report)]
    assert run(["analyze", str(capture), *options]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["case"]["erp"] == "商通 ERP"
    assert document["case"]["tried"] == ["restart"]
    assert "商通 ERP" in report.read_text("utf-8")


def test_standard_input_is_a_capture(
    capture: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(capture.read_bytes())))
    assert run(["analyze", "-", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [f["path"] for f in document["input"]["files"]] == ["-"]
    assert document["input"]["exchanges"] == 5


def test_filters_narrow_and_an_empty_one_names_what_is_near(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = str(failing(tmp_path / "a.har"))
    assert run(["analyze", capture, "--format", "json", "--since", "2026-03-01T10:30:00Z"]) == 0
    assert json.loads(capsys.readouterr().out)["input"]["exchanges"] == 3
    assert run(["analyze", capture, "--format", "json", "--until", "2026-03-01T10:30:00Z"]) == 0
    assert json.loads(capsys.readouterr().out)["input"]["exchanges"] == 2
    assert run(["analyze", capture, "--format", "json", "--request-id", "r-11:01:00"]) == 0
    assert json.loads(capsys.readouterr().out)["input"]["exchanges"] == 1
    assert run(["analyze", capture, "--format", "text", "--lang", "en", "--request-id", "r-11:01:01"]) == 0
    assert "r-11:01:00" in capsys.readouterr().out


def _documents(folder: Path, orders: list[list[str]]) -> set[str]:
    """Digests of the JSON document over hash seeds and orders of the input."""
    found = set()
    for seed, order in enumerate(orders):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed + 1)}
        command = [sys.executable, "-m", "openclaw_forensics", "analyze", *order, "--format", "json"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120, check=True)
        found.add(hashlib.sha256(done.stdout).hexdigest())
    return found


def test_one_input_gives_one_document_whatever_seed_and_order(tmp_path: Path) -> None:
    failing(tmp_path / "a.har")
    healthy(tmp_path / "b.har")
    har(
        tmp_path / "c.har",
        *(entry(f"11:3{n}:00", 429, REFUSED, token="Atza|OtherTokenOfTheTest987654321") for n in range(3)),
    )
    orders = [["a.har", "b.har", "c.har"], ["c.har", "b.har", "a.har"]]
    assert len(_documents(tmp_path, orders)) == 1
