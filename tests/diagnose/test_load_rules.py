"""Rules from an earlier start are the rules of the files, without their tests; a changed file is read anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_forensics import cache
from openclaw_forensics.diagnose.load import EVERYWHERE, checked_rules, load_rules
from openclaw_forensics.errors import RuleError
from openclaw_forensics.platforms.load import load

RULE = """[[rule]]
id = "acme.gone"
cause = "auth.authorization_revoked"
when = { error_code = "gone" }
source = ["https://example.com/docs"]
checked = 2026-01-02
wrong_when = { en = "w", zh = "错" }
title = { en = "t", zh = "题" }
why = { en = "y", zh = "因" }
[[rule.test]]
hit = { error_code = "gone" }
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "rules.toml").write_text(RULE, "utf-8")
    return tmp_path / "acme"


def test_shipped_rules_come_back_as_they_are() -> None:
    packs = load()
    folders = [(n, f) for n in (EVERYWHERE, *packs.ids()) for f in packs.folders.get(n, ())]
    plain = [(x.path, x.rule.model_copy(update={"test": ()}), str(x.when)) for x in load_rules(folders)]
    for _ in ("from files", "from the cache"):
        assert [(x.path, x.rule, str(x.when)) for x in checked_rules(folders)] == plain


def test_a_changed_file_is_read_anew(pack: Path) -> None:
    assert [x.rule.id for x in checked_rules([("acme", pack)])] == ["acme.gone"]
    (pack / "rules.toml").write_text(RULE.replace("acme.gone", "acme.lost"), "utf-8")
    assert [x.rule.id for x in checked_rules([("acme", pack)])] == ["acme.lost"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("auth.authorization_revoked", "no.such_cause"), ('error_code = "gone"', '"error_code|re" = "(gone"')],
    ids=["cause", "pattern"],
)
def test_a_wrong_file_is_refused_each_time(pack: Path, old: str, new: str) -> None:
    checked_rules([("acme", pack)])
    (pack / "rules.toml").write_text(RULE.replace(old, new, 1), "utf-8")
    for _ in range(2):
        with pytest.raises(RuleError, match=r"acme\.gone"):
            checked_rules([("acme", pack)])


@pytest.mark.parametrize("content", [b"", b"\x91\x80", b"\x91\x81\xa2id\xa1x"], ids=["empty", "no-rule", "half-a-rule"])
def test_a_spoilt_cache_is_passed_over(pack: Path, content: bytes) -> None:
    first = checked_rules([("acme", pack)])[0].rule
    for entry in cache.cache_dir().iterdir():
        entry.write_bytes(content)
    assert checked_rules([("acme", pack)])[0].rule == first


def test_what_an_entry_cannot_hold_is_read_from_the_file_each_time(pack: Path) -> None:
    (pack / "rules.toml").write_text(RULE.replace("\nsource", "\nparams = { most = inf }\nsource"), "utf-8")
    for _ in range(2):
        assert checked_rules([("acme", pack)])[0].rule.params == {"most": float("inf")}
