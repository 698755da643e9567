"""Exit codes of README's table, in-process and through the real entry point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from openclaw_forensics.cli.app import run
from tests.captures_made import entry, failing, har, healthy

PROGRAM = [sys.executable, "-m", "openclaw_forensics"]


@pytest.mark.parametrize(
    ("make", "options", "code"),
    [
        pytest.param(failing, [], 0, id="a cause found is no failure of the run"),
        pytest.param(failing, ["--fail-on", "error"], 1, id="fail-on error met"),
        pytest.param(failing, ["--fail-on", "warning"], 1, id="an error is at or above warning"),
        pytest.param(healthy, ["--fail-on", "warning"], 0, id="fail-on not met"),
        pytest.param(har, [], 0, id="readable, without an exchange"),
    ],
)
def test_ends_of_an_analysis(make, options: list[str], code: int, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    capture = make(tmp_path / "a.har")
    assert run(["analyze", str(capture), "--format", "text", "--lang", "en", *options]) == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", 0, id="an empty file is a text"),
        pytest.param(b"just prose, no log at all\n", 0, id="prose decodes as text"),
        pytest.param(bytes(range(256)) * 8, 2, id="bytes of nothing known"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(50), 2, id="a picture"),
    ],
)
def test_what_counts_as_readable(content: bytes, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "input.log"
    path.write_bytes(content)
    assert run(["analyze", str(path), "--format", "json"]) == code
    assert capsys.readouterr().out.startswith('{"schema_version":"1"')  # the document is written all the same


def test_strict_asks_for_every_file(tmp_path: Path) -> None:
    failing(tmp_path / "a.har")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    assert run(["analyze", str(tmp_path), "--quiet", "--format", "text"]) == 0
    assert run(["analyze", str(tmp_path), "--quiet", "--format", "text", "--strict"]) == 2


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", str(tmp_path / "nowhere.log"), "--format", "text", "--quiet"]) == 2
    assert "nowhere.log: no such file or folder" in capsys.readouterr().err


WRONG = {
    "no such command": (["frobnicate"], "No such command"),
    "no such option": (["analyze", "a.har", "--frobnicate"], "No such option"),
    "no path": (["analyze"], "Missing argument"),
    "language": (["analyze", "a.har", "--lang", "fr"], "--lang takes zh or en"),
    "zone": (["analyze", "a.har", "--timezone", "Mars/Olympus"], "unknown time zone"),
    "time": (["analyze", "a.har", "--since", "yesterday"], "is no ISO 8601 time"),
    "level": (["analyze", "a.har", "--fail-on", "info"], "--fail-on takes"),
    "level of scan": (["scan", ".", "-o", "out", "--fail-on", "new"], "needs --state"),
    "platform": (["analyze", "a.har", "--platform", "amazn"], "nearest: amazon"),
    "input format": (["analyze", "a.har", "--input-format", "hra"], "did you mean har"),
    "standard output": (["analyze", "a.har", "--format", "xml"], "--format takes"),
    "suffix": (["analyze", "a.har", "-o", "a.docx"], "no report has the suffix .docx"),
    "no suffix": (["analyze", "a.har", "-o", "report"], "no report has the suffix"),
    "suffix to come": (["analyze", "a.har", "-o", "a.parquet"], "not built yet"),
    "csv to come": (["analyze", "a.har", "-o", "a.csv"], "not built yet"),
    "har to come": (["analyze", "a.har", "-o", "b.har"], "not built yet"),
    "ndjson to come": (["analyze", "a.har", "--format", "ndjson"], "not built yet"),
    "target twice": (["analyze", "a.har", "-o", "x.html", "-o", "./x.html"], "given twice"),
    "target is an input": (["analyze", "a.json", "-o", "a.json"], "is an input"),
    "case": (["analyze", "a.har", "--case", "nowhere.toml"], "cannot be read"),
    "secrets": (["analyze", "a.har", "--secrets", "nowhere.toml"], "cannot be read"),
    "rules": (["analyze", "a.har", "--rules", "nowhere"], "no such folder of rules"),
    "formats": (["analyze", "a.har", "--formats", "nowhere"], "no such folder of formats"),
    "leak into a file": (["analyze", "a.har", "--no-redact", "-o", "a.html"], "--i-know-this-leaks"),
    "leak into the default files": (["analyze", "a.har", "--no-redact"], "--i-know-this-leaks"),
    "mapping": (["analyze", "a.har", "--mapping", "m.toml"], "--mapping is not built yet"),
    "baseline": (["analyze", "a.har", "--baseline", "b.json"], "--baseline is not built yet"),
    "templates": (["analyze", "a.har", "--templates", "t"], "--templates is not built yet"),
    "jobs": (["analyze", "a.har", "--jobs", "2"], "--jobs is not built yet"),
    "state": (["scan", ".", "-o", "out", "--state", "s"], "--state is not built yet"),
    "compare": (["compare", "good.har", "bad.har", "--lang", "en"], "compare is not built yet"),
    "loop": (["loop", "a.har"], "loop is not built yet"),
    "schema": (["schema", "learn", "a.har"], "schema is not built yet"),
    "export": (["export", "a.har", "-o", "x.parquet"], "export is not built yet"),
    "cause": (["explain", "auth.refresh_token_expried"], "auth.refresh_token_expired"),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_wrong_usage_ends_in_2_before_anything_is_read(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    healthy(tmp_path / "a.har")
    healthy(tmp_path / "a.json")
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.har", "a.json"]


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert capsys.readouterr().err.startswith("Usage:")


def test_a_fault_of_ours_is_3_without_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    broken = typer.Typer()

    @broken.command()
    def divide() -> None:
        1 / 0  # noqa: B018

    assert run([], broken) == 3
    shown = capsys.readouterr()
    assert "a fault of this program (ZeroDivisionError" in shown.err
    assert "Traceback" not in shown.err


def test_a_closed_pipe_is_no_failure(tmp_path: Path) -> None:
    many = [entry(f"{h:02}:{m:02}:00", 403, {"n": m}) for h in range(2) for m in range(20)]
    capture = har(tmp_path / "a.har", *many)
    command = [*PROGRAM, "analyze", str(capture), "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        errors = process.stderr.read()
        assert process.wait(timeout=60) == 0
    assert errors == b""


@pytest.mark.skipif(os.name == "nt", reason="signals end a process at once there")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["interrupted", "terminated"]
)
def test_an_interrupted_run_leaves_nothing(number: signal.Signals, code: int, tmp_path: Path) -> None:
    """The run waits for a pipe that nobody writes to."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [*PROGRAM, "analyze", "-", "-o", str(tmp_path / "out.html")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b'{"log": {"entries": [' + b" " * 2_000_000)  # more than a pipe holds: it is being read
        process.stdin.flush()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
