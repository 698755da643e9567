"""`formats list|try`: every reader is listed with what it was tested on, and a file's reading is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_forensics.cli.app import run
from openclaw_forensics.ingest.catalogue import listed
from openclaw_forensics.ingest.registry import names
from tests.captures_made import failing

CAPTURES = Path(__file__).parent.parent / "captures"
OWN_FORMAT = """
name = "shopline"
description = "Our own lines"
provenance = "real program"
writers = ["shop"]
[[head]]
pattern = '^<<(?P<stamp>%{ISO})>> (?P<level>%{LEVEL}) (?P<message>.*)$'
[[sample]]
line = '<<2026-03-01 10:00:00>> ERROR GET https://a.example/x 500'
expect = { level = "ERROR" }
"""


def test_every_reader_is_listed() -> None:
    assert {entry.name for entry in listed()} >= set(names())


def test_a_real_program_has_its_recording() -> None:
    """A web server or proxy that is said to be real has a folder of its own files."""
    claimed = {
        writer.split()[0].lower()
        for e in listed()
        if e.provenance == "real program" and "/" not in e.name
        for writer in e.writers
    }
    assert claimed <= {p.name for p in CAPTURES.iterdir()}


def test_list_says_what_each_was_tested_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["formats", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("accesslog") and "real program" in line and "nginx" in line for line in lines)
    assert any(line.startswith("saz") and "from documentation" in line for line in lines)
    assert any(line.startswith("textlog/logback") for line in lines)


def test_try_explains_a_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = failing(tmp_path / "a.har")
    assert run(["formats", "try", str(capture)]) == 0
    shown = capsys.readouterr().out
    assert f"{capture.as_posix()}: har" in shown
    assert "exchanges: 5, records: 0" in shown
    assert "-> 403  ptr:/log/entries/2" in shown
    assert f"bytes: {capture.stat().st_size}" in shown


def test_try_shows_the_lines_that_nobody_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "a.log"
    log.write_text("<<2026-03-01 10:00:00>> ERROR no stock for A\n@@ what is this\n", encoding="utf-8")
    assert run(["formats", "try", str(log)]) == 0
    assert "1: <<2026-03-01" in capsys.readouterr().out
    own = tmp_path / "formats"
    own.mkdir()
    (own / "shopline.toml").write_text(OWN_FORMAT, encoding="utf-8")
    assert run(["formats", "try", str(log), "--formats", str(own)]) == 0
    shown = capsys.readouterr().out
    assert "1: <<2026-03-01" not in shown


def test_a_broken_format_of_ones_own_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shopline.toml").write_text(OWN_FORMAT.replace("<<2026", "2026"), encoding="utf-8")
    assert run(["formats", "list", "--formats", str(tmp_path)]) == 2
    assert "does not match" in capsys.readouterr().err


def test_try_of_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.bin").write_bytes(bytes(range(256)) * 4)
    assert run(["formats", "try", str(tmp_path / "x.bin")]) == 2
    assert "no format known" in capsys.readouterr().out
    assert run(["formats", "try", str(tmp_path / "nowhere")]) == 2
    assert run(["formats", "try", str(tmp_path / "x.bin"), "--input-format", "hra"]) == 2
