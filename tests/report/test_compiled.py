"""What a report is made with is compiled once: pages and words are the same from the cache, whole or spoilt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_forensics import cache
from openclaw_forensics.report import catalogue, html
from tests.report.documents import clock_skew


def forget() -> None:
    for known in (html.environment, catalogue._translations):
        known.cache_clear()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    forget()
    yield
    forget()


def page() -> str:
    forget()
    return html.render(clock_skew(), "zh", "report.html")


def test_a_page_from_stored_templates_is_the_same() -> None:
    first = page()
    kinds = {entry.name.split("-")[0] for entry in cache.cache_dir().iterdir()}
    assert kinds >= {"template", "words"}
    assert page() == first


@pytest.mark.parametrize("content", [b"", b"\x00", b"\xc4\x04\xde\x12\x04\x95", b"x" * 100])
def test_a_spoilt_cache_changes_nothing(content: bytes) -> None:
    first = page()
    for entry in cache.cache_dir().iterdir():
        entry.write_bytes(content)
    assert page() == first


def test_a_cache_that_cannot_be_written_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = page()
    (tmp_path / "file").write_text("x", "utf-8")
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "file"))
    assert page() == first
