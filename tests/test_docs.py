"""The documentation names every command, option, column and exit code that there is, and no link leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from openclaw_forensics.cli.app import app
from openclaw_forensics.exchanges import EXCHANGES
from openclaw_forensics.report.registry import RENDERERS

ROOT = Path(__file__).parent.parent
READMES = ["README.md", "README.zh.md"]
PAGES = [*READMES, "ARCHITECTURE.md", *sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").glob("*.md"))]


def commands() -> dict[str, list[str]]:
    """Every command as it is typed, with the options of its own."""
    found: dict[str, list[str]] = {}
    for name, command in typer.main.get_group(app).commands.items():
        inner = getattr(command, "commands", None)
        for full, leaf in ({f"{name} {n}": c for n, c in inner.items()} if inner else {name: command}).items():
            options = [o for p in leaf.params for o in p.opts if o.startswith("-")]
            found[full] = [o for o in options if o not in ("-h",)]
    return found


@pytest.mark.parametrize("page", READMES)
def test_every_command_and_option_is_documented(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for command, options in commands().items():
        assert f"`{command}" in text, command
        for option in options:
            assert f"`{option}" in text, f"{command} {option}"


def test_every_option_has_its_help() -> None:
    for command in typer.main.get_group(app).commands.values():
        for leaf in getattr(command, "commands", {"": command}).values():
            assert leaf.help
            for parameter in leaf.params:
                assert getattr(parameter, "hidden", False) or getattr(parameter, "help", ""), parameter.name


@pytest.mark.parametrize("page", READMES)
def test_every_suffix_and_exit_code_is_documented(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for suffix in RENDERERS:
        assert f"`{suffix}`" in text
    for code in (0, 1, 2, 3, 4, 5, 130, 143):
        assert re.search(rf"^\|[^|]*\b{code}\b", text, re.M), code


def test_every_column_is_documented() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    derived = re.compile(r"^(request|response)_(headers|body)(_state|_bytes|_exact)$")
    assert [c for c in EXCHANGES if f"`{c}`" not in text and not derived.match(c)] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8")):
        if not target.startswith("https://"):
            assert (path.parent / target).exists(), target
