"""Packs on disk: found, checked with file and line, extended by the user's own, cached."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_forensics import cache
from openclaw_forensics.errors import RuleError, UsageError
from openclaw_forensics.platforms.load import load

HEAD = """id = "acme"
kind = "marketplace"
aliases = ["Acme Shop", "艾克"]
name.en = "Acme"
name.zh = "艾克"

[[hosts]]
pattern = "api.acme.example"
"""
OPERATIONS = """[[operation]]
id = "orders.list"
name.en = "list"
name.zh = "列表"
path = "/orders"
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return folder


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    write(tmp_path / "rules" / "acme", platform=HEAD, operations=OPERATIONS)
    write(tmp_path / "rules" / "common", platform=HEAD.replace("acme", "common").replace("marketplace", "common"))
    write(tmp_path / "rules" / "formats")
    return tmp_path / "rules"


def test_finds_packs_and_keeps_common_apart(rules: Path) -> None:
    packs = load([rules])
    assert packs.ids() == ("acme",)
    assert packs.common.platform.id == "common"
    assert [operation.id for operation in packs.pack("acme").operations] == ["orders.list"]


def test_common_may_have_a_head_of_its_own_name(rules: Path) -> None:
    (rules / "common" / "platform.toml").rename(rules / "common" / "common.toml")
    assert load([rules]).common.platform.id == "common"


def test_rules_without_common_have_an_empty_one(rules: Path) -> None:
    (rules / "common" / "platform.toml").unlink()
    assert load([rules]).common.platform.envelope == ()


@pytest.mark.parametrize("name", ["acme", "ACME", "acme-shop", "Acme_Shop", "艾克"])
def test_resolves_ids_and_aliases(rules: Path, name: str) -> None:
    assert load([rules]).resolve(name) == "acme"


def test_unknown_platform_names_the_nearest(rules: Path) -> None:
    with pytest.raises(UsageError, match="unknown platform 'acmee'; nearest: acme"):
        load([rules]).resolve("acmee")


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("platform", HEAD + "colour = 3\n", r"platform.toml:9: hosts.0.colour.*: is no known key"),
        ("platform", HEAD.replace('kind = "marketplace"\n', ""), r"platform.toml: kind \(acme\): is missing; add it"),
        ("platform", HEAD + "[[recognise]]\nbody = '('\n", r"platform.toml:10: recognise.0.body: pattern '\(':"),
        ("platform", HEAD + "[[recognise]]\npath = '(?=x)'\n", r"platform.toml:10: .*polars' engine refuses it"),
        ("platform", HEAD + "a = \n", r"platform.toml:9: is no valid TOML"),
        ("platform", HEAD + '[places]\napp = ["nowhere"]\n', r"platform.toml:10: places.app.0.*is no place"),
        ("platform", HEAD.replace('"acme"', '"other"', 1), r"must be the folder's name, 'acme'"),
        (
            "operations",
            OPERATIONS + OPERATIONS.replace('path = "/orders"', "step = 'x'"),
            r"operations.toml:\d+: operation.1.step",
        ),
        ("operations", OPERATIONS.replace("[[operation]]", "[[operations]]"), r"operations is not known here"),
        ("webhooks", "retries = 'x'\n", r"webhooks.toml:1: retries"),
    ],
)
def test_faults_name_file_line_and_remedy(rules: Path, file: str, text: str, expected: str) -> None:
    write(rules / "acme", **{file: text})
    with pytest.raises(RuleError, match=expected):
        load([rules]).pack("acme")


def test_a_file_that_is_no_utf8(rules: Path) -> None:
    (rules / "acme" / "errors.toml").write_bytes("# ok\n# \u4e2d".encode("gbk"))
    with pytest.raises(RuleError, match=r"errors\.toml:2: is not UTF-8"):
        load([rules]).pack("acme")


def test_the_users_folder_extends_a_pack(rules: Path, tmp_path: Path) -> None:
    own = write(tmp_path / "own" / "acme", operations=OPERATIONS.replace("orders.list", "own.list")).parent
    assert [o.id for o in load([rules], [own]).pack("acme").operations] == ["own.list", "orders.list"]


def test_the_users_head_replaces_the_shipped_one(rules: Path, tmp_path: Path) -> None:
    own = write(tmp_path / "own" / "acme", platform=HEAD.replace("api.acme", "own.acme")).parent
    assert [h.pattern for h in load([rules], [own]).pack("acme").platform.hosts] == ["own.acme.example"]


def test_gateways_name_a_platform(rules: Path, tmp_path: Path) -> None:
    own = write(tmp_path / "own", gateway='[[gateway]]\nhost = "gw.*"\npath_prefix = "/p"\nplatform = "Acme-Shop"\n')
    assert [(g.host, g.platform) for g in load([rules], [own]).gateways] == [("gw.*", "acme")]


def test_gateways_of_an_unknown_platform(rules: Path, tmp_path: Path) -> None:
    own = write(tmp_path / "own", gateway='[[gateway]]\nhost = "gw"\nplatform = "zzz"\n')
    with pytest.raises(UsageError, match="unknown platform 'zzz'"):
        load([rules], [own])


def test_a_missing_folder_of_rules(rules: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        load([rules], [tmp_path / "none"])


def test_the_cache_gives_the_same_pack(rules: Path) -> None:
    first = load([rules], use_cache=False).pack("acme")
    assert load([rules]).pack("acme") == first
    entries = sorted(p.name for p in cache.cache_dir().iterdir())
    assert [name.split("-")[0] for name in entries] == ["heads", "pack"]
    assert load([rules]).pack("acme") == first


def test_a_changed_file_is_read_anew(rules: Path) -> None:
    load([rules]).pack("acme")
    write(rules / "acme", operations=OPERATIONS.replace("orders.list", "orders.all"))
    assert [o.id for o in load([rules]).pack("acme").operations] == ["orders.all"]


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x93\x01\x02\x03", b"\x81\xa4acme\x92\x80\xc0"])
def test_a_spoilt_cache_is_passed_over(rules: Path, content: bytes) -> None:
    expected = load([rules]).pack("acme")
    for entry in cache.cache_dir().iterdir():
        entry.write_bytes(content)
    assert load([rules]).pack("acme") == expected


def test_a_cache_that_cannot_be_written_is_silent(rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "file"))
    assert load([rules]).pack("acme").platform.id == "acme"


def test_every_shipped_pack_loads() -> None:
    packs = load(use_cache=False)
    for platform in packs.ids():
        assert packs.pack(platform).platform.id == platform
    assert packs.common.platform.kind == "common"
