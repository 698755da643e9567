"""Hostile inputs at the command line: rule files that want to reach out, secrets files that are wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_forensics.cli.app import run
from tests.captures_made import SECRET, entry, failing, har

WATCHED = """
import sys
planted = sys.argv[1]
def watch(event, args):
    if event.startswith("socket.") and event != "socket.__new__":
        sys.stderr.write(f"SOCKET {event}\\n")
    if event in ("open", "os.listdir", "subprocess.Popen", "os.system", "os.exec") and planted in str(args):
        sys.stderr.write(f"REACHED {event} {args[0]}\\n")
sys.addaudithook(watch)
from openclaw_forensics.cli.app import run
sys.exit(run(sys.argv[2:]))
"""
HEAD = 'id = "evil"\nkind = "marketplace"\nname.en = "Evil"\nname.zh = "恶"\n'
RULE = """
[[rule]]
id = "evil.rule"
cause = "auth.access_token_expired"
{line}
confidence = 0.8
source = ["https://evil.example/"]
checked = 2026-01-01
wrong_when.en = "x"
wrong_when.zh = "x"
title.en = "x"
title.zh = "x"
why.en = "x"
why.zh = "x"
"""
CONDITIONS = {
    "sql as a key": "when = {{ \"read_csv('{path}')\" = 1 }}",
    "a path as a column": 'when = {{ "{path}" = "x" }}',
    "sql as a modifier": 'when = {{ "path|sql" = "SELECT * FROM read_parquet(\'{path}\')" }}',
    "expression text": "when = \"pl.read_csv('{path}')\"",
    "a broken pattern": 'when = {{ "path|re" = "(?<{path}" }}',
    "a detector by path": 'detector = "{path}"\nparams = {{}}',
    "an unknown key": 'include = "{path}"\nwhen = {{ status = 401 }}',
}


def _watched(planted: str, arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WATCHED, planted, *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=folder, check=False, timeout=120)


@pytest.mark.parametrize("line", CONDITIONS.values(), ids=CONDITIONS)
def test_a_hostile_rule_is_refused_and_reaches_nothing(line: str, tmp_path: Path) -> None:
    planted = tmp_path / "planted.csv"
    planted.write_text("a,b\n1,2\n")
    pack = tmp_path / "own" / "evil"
    pack.mkdir(parents=True)
    (pack / "platform.toml").write_text(HEAD, encoding="utf-8")
    rule = RULE.format(line=line.format(path=planted.as_posix()))
    (pack / "rules.toml").write_text(rule, encoding="utf-8")
    capture = failing(tmp_path / "a.har")
    arguments = ["analyze", str(capture), "--rules", str(tmp_path / "own"), "--format", "text"]
    done = _watched("planted.csv", arguments, tmp_path)
    assert done.returncode == 2, done.stderr
    assert "rules.toml" in done.stderr
    assert "REACHED" not in done.stderr
    assert "SOCKET" not in done.stderr


def test_no_analysis_opens_a_socket(tmp_path: Path) -> None:
    arguments = ["analyze", str(failing(tmp_path / "a.har")), "-o", str(tmp_path / "r.html"), "--quiet"]
    done = _watched("nothing-planted", arguments, tmp_path)
    assert done.returncode == 0
    assert "SOCKET" not in done.stderr


VALUE = "Sup3rSecretSigningKeyValue-of-the-test"
BAD_SECRETS = {
    "wrong kind": f'[[secret]]\nplatform = "amazon"\nkind = "{VALUE}"\nvalue = "{VALUE}"\n',
    "no value": f'[[secret]]\nplatform = "{VALUE}"\nkind = "signing_key"\n',
    "a key too many": f'[[secret]]\nplatform = "amazon"\nkind = "signing_key"\nvalue = "{VALUE}"\nextra = "{VALUE}"\n',
    "not TOML": f"value = {VALUE}\n",
    "a value that is no text": f'[[secret]]\nplatform = "amazon"\nkind = "signing_key"\nvalue = ["{VALUE}"]\n',
}


@pytest.mark.parametrize("content", BAD_SECRETS.values(), ids=BAD_SECRETS)
def test_a_wrong_secrets_file_is_refused_and_not_quoted(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(content, encoding="utf-8")
    capture = failing(tmp_path / "a.har")
    assert run(["analyze", str(capture), "--secrets", str(secrets), "--format", "json"]) == 2
    shown = capsys.readouterr()
    assert "secrets.toml" in shown.err
    assert VALUE not in shown.err + shown.out


def test_a_given_secret_is_in_no_output_although_a_log_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        f'[[secret]]\nplatform = "amazon"\nkind = "client_secret"\nvalue = "{VALUE}"\n', encoding="utf-8"
    )
    body = {"errors": [{"code": "Unauthorized", "message": f"bad key {VALUE} given"}]}
    capture = har(tmp_path / "a.har", *(entry(f"11:0{n}:00", 403, body) for n in range(3)))
    report = tmp_path / "r.html"
    arguments = ["analyze", str(capture), "--secrets", str(secrets), "--format", "json", "-o", str(report)]
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    assert VALUE not in shown + report.read_text("utf-8")
    assert "client_secret#1" in shown


@pytest.mark.parametrize("command", [["formats", "try"], ["rules", "try"]], ids=" ".join)
def test_commands_beside_the_report_hide_as_well(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"/fba/inventory/v1/summaries?access_token={SECRET}"
    capture = har(tmp_path / "a.har", entry("11:00:00", 403, {"errors": [{"code": f"token={SECRET}"}]}, path=path))
    assert run([*command, str(capture)]) == 0
    assert SECRET[5:] not in capsys.readouterr().out
