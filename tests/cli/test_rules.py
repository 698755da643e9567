"""`rules list|show|lint|test|try|new` on the shipped rules and on a user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_forensics.cli.app import run
from tests.captures_made import failing


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with one pack as `rules new` begins it."""
    folder = tmp_path / "own"
    assert run(["rules", "new", str(folder), "my_mall"]) == 0
    return folder


def test_a_new_pack_lints_and_passes_its_tests(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "lint", "--rules", str(own), "--pack", "my_mall"]) == 0
    assert capsys.readouterr().out.endswith("0 errors, 0 warnings\n")
    assert run(["rules", "test", "--rules", str(own)]) == 0


@pytest.mark.parametrize("name", ["My-Mall", "../evil", "1st", ""], ids=repr)
def test_a_pack_id_is_a_plain_name(name: str, tmp_path: Path) -> None:
    assert run(["rules", "new", str(tmp_path / "own"), name]) == 2
    assert not (tmp_path / "own").exists()


def test_a_pack_that_stands_is_not_overwritten(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "new", str(own), "my_mall"]) == 2
    assert "stands already" in capsys.readouterr().err


DAMAGE = {
    "no near miss": ("rules.toml", "miss =", "hit =", "no-near-miss"),
    "a foreign id": ("rules.toml", 'id = "my_mall.token.missing"', 'id = "mall.token.missing"', "foreign-id"),
    "no source": ("rules.toml", 'source = ["https://developers.my-mall.example/auth"]', "source = []", "no-source"),
    "a cause that is none": ("errors.toml", 'cause = "auth.access_token_expired"', 'cause = "auth.gone"', "auth.gone"),
    "broken TOML": ("errors.toml", "[[error]]", "[[error]", "does-not-load"),
    "an envelope's test": ("platform.toml", 'none_of = ["0"]', 'none_of = ["1"]', "envelope-test"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), DAMAGE.values(), ids=DAMAGE)
def test_the_lint_names_file_and_fault(
    file: str, old: str, new: str, said: str, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = own / "my_mall" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    capsys.readouterr()
    assert run(["rules", "lint", "--rules", str(own)]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if "my_mall" in line and said in line]
    assert lines
    assert all(file in line for line in lines)


def test_a_failing_rule_test_ends_in_1(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = own / "my_mall" / "rules.toml"
    path.write_text(path.read_text("utf-8").replace("hit = { status = 401", "hit = { status = 402"), encoding="utf-8")
    assert run(["rules", "test", "--rules", str(own)]) == 1
    assert "rule my_mall.token.missing, test 1: did not hit" in capsys.readouterr().out


def test_try_shows_each_condition_on_a_capture(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = own / "my_mall" / "rules.toml"
    text = (
        rule.read_text("utf-8")
        .replace("when = {", 'platform = "amazon"\nwhen = {')
        .replace("status = 401", "status = 403")
    )
    rule.write_text(text, encoding="utf-8")
    (own / "amazon").mkdir()
    rule.rename(own / "amazon" / "rules.toml")
    capsys.readouterr()
    capture = failing(tmp_path / "a.har")
    assert run(["rules", "try", str(capture), "--rules", str(own), "--rule", "my_mall.token.missing"]) == 0
    shown = capsys.readouterr().out
    assert "5 exchanges, 3 failing" in shown
    assert "my_mall.token.missing: 3 claimed of 3 that met the condition, of 3 exchanges" in shown
    assert "true    status = 403  (all: 3 true, 0 false, 0 unknown)" in shown


def test_try_shows_the_catalogue_rows_beside_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "try", str(failing(tmp_path / "a.har")), "--pack", "amazon"]) == 0
    shown = capsys.readouterr().out
    assert "failure, 3 alike" in shown
    assert "-> auth.access_token_expired, weight 3, fits; held: match" in shown
    assert "amazon.http-403 -> auth.permission_missing, weight 1, fits; held: status" in shown


def test_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "list"]) == 0
    assert "amazon" in capsys.readouterr().out
    assert run(["rules", "show", "common.net.dns", "--lang", "zh"]) == 0
    assert "域名解析失败" in capsys.readouterr().out
    assert run(["rules", "show", "amazon.Unauthorized", "--lang", "en"]) == 0
    assert "https://" in capsys.readouterr().out
    assert run(["rules", "show", "common.net.dsn"]) == 2
    assert "common.net.dns" in capsys.readouterr().err


def test_a_folder_that_is_a_pack_itself_is_explained(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = failing(tmp_path / "a.har")
    assert run(["analyze", str(capture), "--rules", str(own / "my_mall"), "--format", "text"]) == 2
    assert f"give the folder around it, {own.as_posix()}" in capsys.readouterr().err
