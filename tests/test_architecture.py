"""The rooms of the house: imports go one way, no circles, knowledge stays in data, files and functions stay small."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "openclaw_forensics"
EVERYDAY = {"cache", "errors", "resources", "words"}  # know nobody of ours
ALLOWED: dict[str, set[str]] = {
    "cache": set(),
    "errors": set(),
    "resources": set(),
    "table": set(),
    "words": set(),
    "exchanges": set(),
    "settings": {"errors"},
    "taxonomy": EVERYDAY,
    "result": EVERYDAY,
    "summary": {"result", *EVERYDAY},
    "selection": {"settings", "table"},
    "ingest": {"exchanges", *EVERYDAY},
    "link": {"exchanges", "table", *EVERYDAY},
    "platforms": {"exchanges", "taxonomy", *EVERYDAY},
    "diagnose": {"platforms", "link", "exchanges", "result", "settings", "table", "taxonomy", *EVERYDAY},
    "document": {
        "diagnose", "platforms", "link", "ingest", "selection", "settings", "exchanges", "result", "taxonomy",
        *EVERYDAY,
    },
    "redact": {"document", "platforms", "settings", "result", "table", *EVERYDAY},
    "report": {"result", "summary", *EVERYDAY},  # a view knows the document and nothing below it
    "analysis": {
        "diagnose", "document", "exchanges", "ingest", "link", "platforms", "redact", "report", "result", "selection",
        "settings", "table", "taxonomy", *EVERYDAY,
    },
    "batch": {"analysis", "diagnose", "redact", "report", "result", "summary", "table", *EVERYDAY},
    "cli": {
        "analysis", "batch", "diagnose", "ingest", "link", "platforms", "redact", "report", "settings", "taxonomy",
        *EVERYDAY,
    },
    "__main__": {"cli"},
}  # fmt: skip
DOOR = {"__init__"}  # the package's public names, imported on first use
LONG_FILES = {"result.py"}  # one document, one file
WORD = re.compile(r"[a-z0-9_]{4,}|[\u3400-\u9fff]{2,}")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imports(node: ast.AST, *, lazy: bool) -> Iterator[str]:
    """Modules of ours that are imported below `node`, those for type checking left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.ImportFrom) and (child.module or "").split(".")[0] == PACKAGE.name:
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.Import):
            yield from (a.name for a in child.names if a.name.split(".")[0] == PACKAGE.name)
        elif lazy or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(child, lazy=lazy)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


@cache
def names() -> frozenset[str]:
    return frozenset(map(name_of, modules()))


def existing(module: str) -> str:
    """The module that a dotted name lies in: the name itself, or what stands before its last part."""
    return module if module in names() else module.rpartition(".")[0]


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    room = room_of(name_of(path))
    if room in DOOR:
        return
    others = {room_of(existing(m)) for m in imports(tree_of(path), lazy=True)} - {room} - DOOR
    assert others <= ALLOWED[room]


def test_the_plan_itself_has_no_circle() -> None:
    left = dict(ALLOWED)
    while left:
        free = {room for room, below in left.items() if not below & left.keys()}
        assert free, f"a circle among {sorted(left)}"
        left = {room: below for room, below in left.items() if room not in free}


def test_modules_form_no_circle_when_imported() -> None:
    left = {name_of(p): {existing(m) for m in imports(tree_of(p), lazy=False)} - {name_of(p)} for p in modules()}
    while left:
        free = {name for name, below in left.items() if not below & left.keys()}
        assert free, f"a circle among {sorted(left)}"
        left = {name: below for name, below in left.items() if name not in free}


@cache
def platform_names() -> set[str]:
    """Ids and aliases of all packs as they could stand in code."""
    found: set[str] = set()
    for path in (ROOT / "rules").glob("*/platform.toml"):
        head = tomllib.loads(path.read_text("utf-8"))
        if head["kind"] == "common":
            continue
        found |= {str(name).lower().replace("-", "_") for name in (head["id"], *head.get("aliases", ()))}
    return {name for name in found if WORD.fullmatch(name)}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_platform_is_named_in_code(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    told = "\n".join(line for line in lines if not line.startswith("Source:"))  # where a standard is published
    words = set(WORD.findall(told.lower()))
    assert words & platform_names() == set()


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    if path.name not in LONG_FILES:
        assert path.read_text("utf-8").count("\n") <= 500
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 70, node.name


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree_of(path))
