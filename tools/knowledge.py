"""Writes docs/knowledge.md: what each pack knows, and which share of it rests on one weak source.

python tools/knowledge.py docs/knowledge.md            write
python tools/knowledge.py --check docs/knowledge.md    exit 1 when the file is not what the rules say
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from openclaw_forensics.diagnose.load import load_rules
from openclaw_forensics.ingest.catalogue import listed
from openclaw_forensics.platforms.lint import Coverage, coverage
from openclaw_forensics.platforms.load import load
from openclaw_forensics.resources import rules_dir
from openclaw_forensics.taxonomy import taxonomy

KINDS = (("marketplace", "Marketplaces"), ("carrier", "Carriers and trackers"), ("erp", "ERPs"), ("common", "Anywhere"))
HEAD = "| pack | operations | codes | rows | of them unverified | schemes | test vectors | topics | ends | rules |"


def page() -> Iterator[str]:
    """The lines of the page."""
    yield "# What the rules know"
    yield ""
    yield "Made by `tools/knowledge.py` from `rules/`; do not edit. Codes are distinct codes and sub-codes. A row is"
    yield "unverified where one weak source alone supports it: such a row never decides a verdict. A test vector is a"
    yield "published signature that the scheme reproduces. Ends are announced retirements and changes."
    rows = coverage([rules_dir()])
    counts = _rules()
    for kind, title in KINDS:
        chosen = [row for row in rows if row.kind == kind]
        yield from ("", f"## {title}", "", HEAD, f"|---|{'---:|' * 9}")
        yield from (_row(row, counts.get(row.pack, 0)) for row in chosen)
    yield from _causes()
    yield from _formats()


def _row(row: Coverage, rules: int) -> str:
    share = (
        f"{row.unverified} ({row.unverified / row.rows:.0%})" if row.rows and row.unverified else str(row.unverified)
    )
    cells = (row.pack, row.operations, row.codes, row.rows, share, row.schemes, row.vectors, row.topics,
             row.deprecations, rules)  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def _rules() -> dict[str, int]:
    packs = load()
    return {name: len(load_rules([(name, f) for f in folders])) for name, folders in packs.folders.items()}


def _causes() -> Iterator[str]:
    """Each cause with the number of packs whose rows or rules name it; detectors and contrasts reach others too."""
    packs = load()
    named: dict[str, int] = {}
    for name, folders in packs.folders.items():
        pack = packs.pack(name)
        for cause in {row.cause for row in pack.errors} | {
            r.rule.cause for r in load_rules([(name, f) for f in folders])
        }:
            named[cause] = named.get(cause, 0) + 1
    yield from (
        "",
        "## Causes",
        "",
        "Detectors and contrasts reach further causes than rows and rules name.",
        "",
        "| cause | usual party | packs that name it |",
        "|---|---|---:|",
    )
    for cause, entry in sorted(taxonomy().causes.items()):
        yield f"| `{cause}` | {entry.party} | {named.get(cause, 0)} |"


def _formats() -> Iterator[str]:
    yield from ("", "## Formats", "", "| format | tested on | writers |", "|---|---|---|")
    for entry in listed():
        yield f"| {entry.name} | {entry.provenance or ''} | {', '.join(entry.writers) or entry.description} |"


def main(arguments: list[str]) -> int:
    """Write or check; the exit code."""
    check = "--check" in arguments
    rest = [a for a in arguments if a != "--check"]
    path = Path(rest[0] if rest else "docs/knowledge.md")
    text = "\n".join(page()) + "\n"
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        return 0
    if path.is_file() and path.read_text("utf-8") == text:
        return 0
    sys.stderr.write(f"{path.as_posix()} is not what the rules say; run python tools/knowledge.py {path.as_posix()}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
