"""`scan`: two shops and a file that cannot be read, to an index, a summary and a report per incident."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openclaw_forensics.cli.app import run
from tests.captures_made import REFUSED, SECRET, entry, har

OTHER = "Atza|OtherTokenOfTheTest9876543210zyxwv"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """One seller's token is refused to the end, another's calls are fine, one file is a picture."""
    folder = tmp_path / "export"
    good = {"payload": {"inventorySummaries": []}}
    har(
        folder / "north.har",
        entry("10:00:00", 200, good, path="/listings/2021-08-01/items/A1NORTH/sku-1"),
        *(entry(f"11:0{n}:00", 403, REFUSED, path="/listings/2021-08-01/items/A1NORTH/sku-1") for n in range(3)),
    )
    south = "/listings/2021-08-01/items/A2SOUTH/sku-1"
    har(folder / "south.har", *(entry(f"11:0{n}:30", 200, good, token=OTHER, path=south) for n in range(3)))
    (folder / "screen.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    return folder


def scanned(export: Path, output: Path, *options: str) -> dict:  # type: ignore[type-arg]
    assert run(["scan", str(export), "-o", str(output), "--quiet", *options]) == 0
    summary: dict = json.loads((output / "summary.json").read_text("utf-8"))  # type: ignore[type-arg]
    return summary


def test_each_shop_has_its_group_and_the_failing_one_its_report(export: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    summary = scanned(export, output)
    groups = {group["shop"]: group for group in summary["groups"]}
    assert groups.keys() == {"A1NORTH", "A2SOUTH"}
    assert groups["A1NORTH"]["failures"] == 3
    assert groups["A2SOUTH"]["failures"] == 0
    assert groups["A2SOUTH"]["verdict"] is None
    (incident,) = summary["incidents"]
    assert incident["shop"] == "A1NORTH"
    assert incident["severity"] == "error"
    assert incident["ongoing"] is True
    assert sorted(p.relative_to(output).as_posix() for p in output.rglob("*.*")) == [
        "index.html", incident["report"], "summary.json",
    ]  # fmt: skip


def test_a_file_that_cannot_be_read_is_listed(export: Path, tmp_path: Path) -> None:
    summary = scanned(export, tmp_path / "out")
    assert [Path(u["path"]).name for u in summary["unread"]] == ["screen.png"]
    assert "screen.png" in (tmp_path / "out" / "index.html").read_text("utf-8")


def test_the_index_leads_to_every_report(export: Path, tmp_path: Path) -> None:
    summary = scanned(export, tmp_path / "out", "--lang", "zh")
    index = (tmp_path / "out" / "index.html").read_text("utf-8")
    for incident in summary["incidents"]:
        assert f'href="{incident["report"]}' in index
        assert (tmp_path / "out" / incident["report"]).is_file()


def test_no_output_shows_a_secret(export: Path, tmp_path: Path) -> None:
    scanned(export, tmp_path / "out")
    for path in (tmp_path / "out").rglob("*.*"):
        text = path.read_text("utf-8")
        assert SECRET[5:] not in text
        assert OTHER[5:] not in text


def test_a_fingerprint_is_the_same_in_another_night_and_language(export: Path, tmp_path: Path) -> None:
    first = scanned(export, tmp_path / "one", "--lang", "en")
    for capture in export.glob("*.har"):
        capture.write_text(capture.read_text("utf-8").replace("2026-03-01", "2026-03-02"), encoding="utf-8")
    second = scanned(export, tmp_path / "two", "--lang", "zh")
    assert [i["fingerprint"] for i in first["incidents"]] == [i["fingerprint"] for i in second["incidents"]]


def test_the_summary_is_the_same_in_either_language(export: Path, tmp_path: Path) -> None:
    assert scanned(export, tmp_path / "one", "--lang", "en") == scanned(export, tmp_path / "two", "--lang", "zh")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param([], 0, id="ran"),
        pytest.param(["--fail-on", "error"], 1, id="an error was found"),
        pytest.param(["--strict"], 2, id="a file was not read"),
    ],
)
def test_exit_codes(options: list[str], code: int, export: Path, tmp_path: Path) -> None:
    assert run(["scan", str(export), "-o", str(tmp_path / "out"), "--quiet", *options]) == code


def test_an_empty_folder_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    assert run(["scan", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--quiet"]) == 2
    assert "holds no files" in capsys.readouterr().err
    assert (tmp_path / "out" / "index.html").is_file()


def test_the_output_must_be_a_folder(export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("")
    assert run(["scan", str(export), "-o", str(tmp_path / "out")]) == 2
    assert "is no folder" in capsys.readouterr().err
