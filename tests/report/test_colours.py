"""The palette of the shipped style sheet keeps its contrast (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re

import pytest

from openclaw_forensics.report.html import asset

GROUNDS = ("bg", "panel", "codebg")
TEXTS = ("ink", "ink2", "link", "failed", "ok", "warn", "note")
TINTS = (
    ("failed", "failed-t"),
    ("ok", "ok-t"),
    ("warn", "warn-t"),
    ("note", "note-t"),
    ("ink", "tell"),
    ("ink", "row"),
)


def palette(scheme: str) -> dict[str, str]:
    blocks = re.findall(r":root\{(.*?)\}", asset("report.css"), re.DOTALL)
    return dict(re.findall(r"--([\w-]+):(#[0-9a-f]{6})", blocks[0 if scheme == "light" else 1]))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_4_5_to_1_on_every_ground(scheme: str) -> None:
    colours = palette(scheme)
    pairs = [(t, g) for t in TEXTS for g in GROUNDS] + list(TINTS)
    assert [(t, g) for t, g in pairs if ratio(colours[t], colours[g]) < 4.5] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_edges_of_controls_and_marks_have_3_to_1(scheme: str) -> None:
    colours = palette(scheme)
    pairs = [("edge", g) for g in GROUNDS] + [("tell-edge", "codebg"), ("link", "bg")]
    assert [(t, g) for t, g in pairs if ratio(colours[t], colours[g]) < 3] == []


def test_the_dark_scheme_is_for_screens_only() -> None:
    css = asset("report.css")
    assert css.count("prefers-color-scheme") == css.count("screen and (prefers-color-scheme:dark)") == 1
