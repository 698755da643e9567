# ruff: noqa: E501  log lines stand as their writers print them

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from openclaw_forensics.errors import RuleError
from openclaw_forensics.ingest.lineformat import fit_heads, load_formats
from openclaw_forensics.ingest.lineformat_model import MessageRule, normal_level
from openclaw_forensics.ingest.stamps import Calendar, date_in_name, read_stamps

MINIMAL = """name = "x"
description = "x"
provenance = "real program"
writers = ["x"]
"""
HEAD = """[[head]]
pattern = '^(?P<stamp>%{ISO}) (?P<message>.*)$'
"""
SAMPLE = """[[sample]]
line = '2024-05-01 10:00:00 hello'
expect = { message = "hello" }
"""


def test_every_shipped_format_loads_and_names_its_origin() -> None:
    formats = load_formats().formats
    assert len(formats) > 20
    assert all(f.provenance and f.writers and f.description for f in formats)


PATTERNS = [
    *(pattern for rule in load_formats().heads for pattern in (rule.test, rule.expression, rule.quick_expression)),
    *(rule.pattern for group in load_formats().groups for rule in group.rules),
    *(group.union for group in load_formats().groups),
]


@pytest.mark.parametrize("pattern", PATTERNS, ids=range(len(PATTERNS)))
def test_a_shipped_pattern_suits_the_linear_engine(pattern: str) -> None:
    assert not pl.Series(["\x00"]).str.contains(pattern).any()


SAMPLES = [(rule, sample) for group in load_formats().groups for rule in group.rules for sample in rule.form.sample]


@pytest.mark.parametrize(("rule", "sample"), SAMPLES, ids=[sample[:40] for _, sample in SAMPLES])
def test_the_linear_engine_agrees_on_the_samples(rule: MessageRule, sample: str) -> None:
    assert pl.Series([sample]).str.contains(rule.pattern).all()
    assert not pl.Series(rule.form.miss, dtype=pl.String).str.contains(rule.pattern).any()


@pytest.mark.parametrize("line", [s.line for f in load_formats().formats if not f.wrapper for s in f.sample])
def test_a_sample_is_recognised_among_all_formats(line: str) -> None:
    assert fit_heads([line], load_formats()).matched == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(MINIMAL, "at least one", id="nothing in it"),
        pytest.param(MINIMAL + HEAD, "needs at least one", id="no sample"),
        pytest.param(MINIMAL + HEAD + SAMPLE.replace("2024", "24"), "does not match", id="sample does not match"),
        pytest.param(MINIMAL + HEAD + SAMPLE.replace('"hello"', '"bye"'), "found", id="sample finds something else"),
        pytest.param(MINIMAL + HEAD.replace("%{ISO}", "%{NOPE}") + SAMPLE, "unknown name", id="unknown name"),
        pytest.param(MINIMAL + HEAD.replace("(?P<message>.*)$", "") + SAMPLE, "must end in", id="no message"),
        pytest.param(MINIMAL + HEAD.replace("%{ISO}", "(") + SAMPLE, "pattern", id="broken pattern"),
        pytest.param(MINIMAL + HEAD.replace("%{ISO}", "(?=x)") + SAMPLE, "pattern", id="pattern that is not linear"),
        pytest.param("name = 'x'\n", "description", id="field missing"),
        pytest.param("name = \n", "nvalid", id="no TOML"),
        pytest.param(MINIMAL + "colour = 'red'\n" + HEAD + SAMPLE, "colour", id="unknown key"),
        pytest.param(MINIMAL + "[[message]]\nrole = 'request'\npattern = 'x(?P<what>y)'\nsample = ['xy']\n", "unknown group", id="unknown group"),
        pytest.param(MINIMAL + "[[message]]\nrole = 'request'\npattern = 'xy'\nsample = ['z']\n", "does not match", id="message sample"),
        pytest.param(MINIMAL + "[[message]]\nrole = 'request'\npattern = 'xy'\nsample = ['xy']\nmiss = ['axy']\n", "must not match", id="near miss hits"),
    ],
)  # fmt: skip
def test_a_wrong_format_file_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RuleError, match=complaint):
        load_formats((tmp_path,))


def test_a_users_format_replaces_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text((MINIMAL + HEAD + SAMPLE).replace('"x"', '"logback"', 1), encoding="utf-8")
    assert [f.description for f in load_formats((tmp_path,)).formats if f.name == "logback"] == ["x"]


STAMPS = {
    "2026-03-17 09:05:00,123": (datetime(2026, 3, 17, 9, 5, 0, 123000), "exact", "assumed"),
    "2026-03-17T09:05:00.123456789+08:00": (datetime(2026, 3, 17, 1, 5, 0, 123456), "exact", "given"),
    "17/Mar/2026:09:05:00 +0800": (datetime(2026, 3, 17, 1, 5), "second", "given"),
    "15-Feb-2018 09:33:27 UTC": (datetime(2018, 2, 15, 9, 33, 27), "second", "given"),
    "24-Nov-2026 07:41:03 Asia/Shanghai": (datetime(2026, 11, 23, 23, 41, 3), "second", "given"),
    "2026年3月17日 上午9:05": (datetime(2026, 3, 17, 9, 5), "second", "assumed"),
    "2026年3月17日 下午9:05:30": (datetime(2026, 3, 17, 21, 5, 30), "second", "assumed"),
    "1795475518189": (datetime(2026, 11, 23, 23, 11, 58, 189000), "exact", "given"),
    "1795475518": (datetime(2026, 11, 23, 23, 11, 58), "second", "given"),
    "1795477788.2528474": (datetime(2026, 11, 23, 23, 49, 48, 252847), "exact", "given"),
    "1700000000000000000": (datetime(2023, 11, 14, 22, 13, 20), "exact", "given"),
    "Mar 17, 2026 9:05:00 PM": (datetime(2026, 3, 17, 21, 5), "second", "assumed"),
    "十一月 23, 2026 11:37:51 下午": (datetime(2026, 11, 23, 23, 37, 51), "second", "assumed"),
    "3/17/2026 12:05:00 AM": (datetime(2026, 3, 17, 0, 5), "second", "assumed"),
    "2026-11-23_23:37:49.494": (datetime(2026, 11, 23, 23, 37, 49, 494000), "exact", "assumed"),
    "2024/01/02 - 10:00:00": (datetime(2024, 1, 2, 10), "second", "assumed"),
    "Tue Apr 04 06:28:08.605341 2017": (datetime(2017, 4, 4, 6, 28, 8, 605341), "exact", "assumed"),
    "2021-09-14 10:02:17.881 +02:00": (datetime(2021, 9, 14, 8, 2, 17, 881000), "exact", "given"),
    "Jan  2 03:04:05": (datetime(2026, 1, 2, 3, 4, 5), "second", "assumed"),
    "09:05:00.123": (datetime(2026, 5, 1, 9, 5, 0, 123000), "derived", "assumed"),
    "2024-99-99 10:00:00": (None, "missing", "assumed"),
    "yesterday": (None, "missing", "assumed"),
}


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_stamp_is_read(stamp: str) -> None:
    found = read_stamps(pl.Series([stamp]), Calendar(datetime(2026, 5, 1, tzinfo=UTC).date())).row(0)
    expected, quality, basis = STAMPS[stamp]
    assert found == (expected and expected.replace(tzinfo=UTC), quality, basis)


@pytest.mark.parametrize(
    ("usual", "hour"),
    [
        ("2026-03-17 09:05:{:02},123", 9),
        ("2026-03-17T09:05:{:02}.123+08:00", 1),
        ("2026-03-17T09:05:{:02}.1239999Z", 9),
    ],
    ids=["bare", "offset", "longer than microseconds"],
)
def test_stamps_that_differ_from_the_usual_ones_are_read_like_any(usual: str, hour: int) -> None:
    odd = ["2026-03-17T09:05:07Z", "2026-02-30 09:05:00,123", None, "1795475518189", "0000-03-17 09:05:00,123"]
    stamps = [usual.format(n) for n in range(30)]
    mixed = pl.Series([*stamps[:15], *odd, *stamps[15:]])
    alone = pl.concat(read_stamps(pl.Series([stamp], dtype=pl.String), Calendar()) for stamp in mixed)
    found = read_stamps(mixed, Calendar())
    assert found.equals(alone)
    assert found["at"].dt.hour()[0] == hour


def test_stamps_keep_their_order_and_their_gaps() -> None:
    column = pl.Series(["2026-03-17 09:05:01", None, "2026-03-17 09:05:00", "2026-03-17 09:05:01"])
    assert read_stamps(column, Calendar())["at"].dt.second().to_list() == [1, None, 0, 1]


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("app-2026-03-17.log", "2026-03-17"),
        ("sys-info.20240501.log", "2024-05-01"),
        ("app.log", None),
        ("2026-13-40.log", None),
    ],
)
def test_the_date_in_a_files_name(name: str, day: str | None) -> None:
    found = date_in_name(name)
    assert (found and found.isoformat()) == day


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("warning", "WARN"),
        ("ERR", "ERROR"),
        ("50", "ERROR"),
        ("Fatal error", "FATAL"),
        ("fail", "ERROR"),
        ("verbose", "DEBUG"),
        ("", None),
    ],
)
def test_levels_are_spelt_one_way(word: str, level: str | None) -> None:
    assert normal_level(word) == level
