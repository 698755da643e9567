"""What is kept between starts: found again, passed over when spoilt, and code only where nobody else can write."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from openclaw_forensics import cache


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))


def test_an_entry_is_found_under_its_name_alone() -> None:
    name = cache.key_of("kind", [b"one", b"two"])
    cache.store(name, {"a": [1, None, b"x"]})
    assert cache.load(name) == {"a": [1, None, b"x"]}
    assert cache.load(cache.key_of("kind", [b"onetwo", b""])) is None


def test_a_name_changes_with_the_code_that_makes_the_entry() -> None:
    assert cache.key_of("kind", [b"x"]) != cache.key_of("kind", [b"x"], cache.__name__)


def test_code_comes_back_whole() -> None:
    cache.store_code("a", b"code")
    assert cache.load_code("a") == b"code"


@pytest.mark.parametrize("spoilt", [b"", b"short", bytes(32) + b"code"], ids=["empty", "short", "other-digest"])
def test_spoilt_code_is_passed_over(spoilt: bytes) -> None:
    cache.store_code("a", b"code")
    (cache.cache_dir() / "a").write_bytes(spoilt)
    assert cache.load_code("a") is None


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize("what", ["folder", "file"])
@pytest.mark.parametrize("bit", [0o020, 0o002], ids=["group", "others"])
def test_code_that_others_can_write_is_not_run(what: str, bit: int) -> None:
    cache.store_code("a", b"code")
    path = cache.cache_dir() if what == "folder" else cache.cache_dir() / "a"
    path.chmod(path.stat().st_mode | bit)
    assert cache.load_code("a") is None


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_the_folder_is_the_users_own() -> None:
    cache.store("a", 1)
    assert cache.cache_dir().stat().st_mode & 0o077 == 0
    assert cache.cache_dir().stat().st_uid == os.geteuid()


def test_a_folder_that_cannot_be_made_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "file"))
    cache.store("a", 1)
    cache.store_code("b", b"code")
    assert (cache.load("a"), cache.load_code("b")) == (None, None)
