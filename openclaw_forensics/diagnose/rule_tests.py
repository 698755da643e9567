"""The tests beside the rules: rows that must hit, and rows that look alike and must not.

One row tests the rule's condition. A list of rows, in time order with `started_at` (`at` for records), tests the whole
rule as it runs on a capture: counts, `after`, `before`, `absent` and times included. There a row without `platform`,
`direction` or `failure` is the rule's platform's, a call out, and failed when its status or error code says so (status
200 where the rule looks among successes); a place in a JSON body, a header or a query is put into the message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import polars as pl

from openclaw_forensics.diagnose.conditions import keys_of
from openclaw_forensics.diagnose.contrasts import Contrasts
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.load import EVERYWHERE, Loaded, load_rules
from openclaw_forensics.diagnose.rule import Rule
from openclaw_forensics.diagnose.rules import run_rules
from openclaw_forensics.errors import RuleError
from openclaw_forensics.exchanges import EXCHANGES, RECORDS, empty, frame_of
from openclaw_forensics.platforms.load import load

TestRow = Mapping[str, object]
_PLACED = ("json:", "header:", "query:")


def run_tests(extra: tuple[Path, ...] = ()) -> tuple[list[str], int]:
    """Failures in words, and how many tests ran. Raises RuleError for a rule file or test that is wrong."""
    packs = load(extra=extra)
    folders = [(name, f) for name in (EVERYWHERE, *packs.ids()) for f in packs.folders.get(name, ())]
    failures: list[str] = []
    count = 0
    for loaded in load_rules(folders):
        for number, test in enumerate(loaded.rule.test, 1):
            for wanted, rows in ((True, test.hit), (False, test.miss)):
                if rows is None:
                    continue
                count += 1
                if hits(loaded, rows) is not wanted:
                    word = "did not hit" if wanted else "hit a near miss"
                    failures.append(f"{loaded.path}: rule {loaded.rule.id}, test {number}: {word}")
    return failures, count


def hits(loaded: Loaded, rows: TestRow | Sequence[TestRow]) -> bool:
    """Whether the row meets the rule's condition, or the rows make the whole rule hit. Raises RuleError."""
    try:
        if isinstance(rows, Mapping):
            return not _table(loaded.rule, rows).filter(loaded.when).is_empty()
        frame = _frame(loaded.rule, rows)
    except (ValueError, TypeError, KeyError, pl.exceptions.PolarsError) as error:
        raise RuleError(loaded.path, f"rule {loaded.rule.id}: its test is wrong: {error}") from error
    findings, _ = run_rules(frame, [loaded], Contrasts(frame, frozenset(), {}))
    return bool(findings)


def _table(rule: Rule, row: TestRow) -> pl.DataFrame:
    """A row for the condition alone: a place is given by its own name; "" means recorded and absent."""
    schema: dict[str, pl.DataType] = dict(EXCHANGES if rule.frame == "exchanges" else RECORDS)
    for place in sorted({k.column for k in keys_of(rule.when_) if k.is_place}):
        schema |= {place: pl.String(), f"known:{place}": pl.Boolean()}
    _check_names(row, schema)
    cells = {
        name: name[len("known:") :] in row if name.startswith("known:") else _cell(name, row.get(name))
        for name in schema
    }
    return pl.DataFrame([cells], schema=schema)


def _cell(name: str, value: object) -> object:
    if value == "" and "." in name:
        return None
    if isinstance(value, str) and name in ("started_at", "at"):
        value = datetime.fromisoformat(value)
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _check_names(row: TestRow, schema: Mapping[str, object]) -> None:
    if unknown := sorted(row.keys() - schema.keys()):
        raise ValueError(f"no column {', '.join(unknown)}")


def _frame(rule: Rule, rows: Sequence[TestRow]) -> Frame:
    if rule.frame == "records":
        records = [{"record_id": f"r{i}", "platform": rule.platform, **_cells(r)} for i, r in enumerate(rows)]
        return Frame(empty(EXCHANGES), frame_of(records, RECORDS))
    exchanges = [{**_implied(rule, i), **_failure(row), **_cells(row)} for i, row in enumerate(rows)]
    return Frame(frame_of(exchanges, EXCHANGES), empty(RECORDS))


def _implied(rule: Rule, number: int) -> dict[str, object]:
    return {
        "exchange_id": f"x{number}", "platform": rule.platform, "direction": "out", "source_file": "test",
        "line": number + 1, "locator": f"lines:{number + 1}", "status": 200 if rule.among == "successes" else None,
    }  # fmt: skip


def _failure(row: TestRow) -> dict[str, object]:
    status = row.get("status")
    if row.get("transport_error") is not None:
        return {"failure": "transport"}
    if isinstance(status, int) and status >= 400:
        return {"failure": "status"}
    return {"failure": "body"} if row.get("error_code") is not None else {}


def _cells(row: TestRow) -> dict[str, object]:
    plain = {name: _cell(name, value) for name, value in row.items() if not name.startswith(("request.", "response."))}
    for side in ("request", "response"):
        placed = {n.removeprefix(f"{side}."): v for n, v in row.items() if n.startswith(f"{side}.")}
        plain |= dict(_message(side, placed))
    return plain


def _message(side: str, placed: TestRow) -> Iterator[tuple[str, object]]:
    """The parts of a message that hold the given places."""
    if other := [name for name in placed if not name.startswith(_PLACED)]:
        raise ValueError(f"{side}.{other[0]} cannot be put into a message; give the column that holds it")
    if body := {n.removeprefix("json:"): v for n, v in placed.items() if n.startswith("json:")}:
        yield f"{side}_body", json.dumps(_nested(body))
        yield f"{side}_body_state", "recorded"
    headers = [{"name": n[len("header:") :], "value": v} for n, v in placed.items() if n.startswith("header:")]
    if headers:
        yield f"{side}_headers", headers
        yield f"{side}_headers_state", "recorded"
    if query := {n.removeprefix("query:"): v for n, v in placed.items() if n.startswith("query:")}:
        yield "query", urlencode(query)


def _nested(values: TestRow) -> dict[str, object]:
    """An object with each value at its pointer."""
    root: dict[str, object] = {}
    for pointer, value in values.items():
        *path, last = pointer.removeprefix("/").split("/")
        node = root
        for step in path:
            inner = node.setdefault(step, {})
            if not isinstance(inner, dict):
                raise ValueError(f"{pointer} lies below a value")
            node = inner
        node[last] = value
    return root
