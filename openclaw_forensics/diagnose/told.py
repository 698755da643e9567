"""Error answers that only a log record tells: read with the pack's envelopes, then looked up in its catalogue.

A client that wraps the answer in its own sentence leaves no exchange to annotate, but quotes the body all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.catalogue import Catalogue, Match
from openclaw_forensics.diagnose.findings import Because, Finding
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.diagnose.recovery import OWN_RETRY
from openclaw_forensics.platforms import tolerant
from openclaw_forensics.platforms.failure import judge
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.model import ErrorRow, Pack
from openclaw_forensics.platforms.places import all_hold
from openclaw_forensics.platforms.recognise import LOUD

Row = dict[str, Any]
MAX_RECORDS = 500  # different loud records that are read
_TEXT = 16 << 10  # characters of a record that are looked at
_NEAR = timedelta(seconds=60)  # how long before its record a call may have been logged
_BODY = re.compile(r"[{\[<]")
_NO_ROW = -1
_UNNAMED = 400  # the status that stands for one which the record does not name
_STARTS = 4  # brackets tried as the beginning of a quoted body
_CEILING = 0.8  # a record may quote another call than the one at hand
_STATUS = re.compile(r"(?i)(?:\bstatus(?:[ _-]?code)?\b|\bHTTP(?:/[12](?:\.[01])?)?)\D{0,40}?\b([45][0-9]{2})\b")
_NAMED = re.compile(r"\[([A-Za-z][A-Za-z0-9]*[._][A-Za-z0-9_.]{2,60}|[0-9]{5,10})\][ :,-]{0,3}([^\n\[\]{}<>]{3,300})")
_LEAF = re.compile(r"<(\w{1,60})>([^<>]{1,500})</\1>")
_CODE_KEYS = ("code", "error_code", "errorcode", "errcode", "error", "sub_code")
_SUBCODE_KEYS = ("sub_code", "subcode")
_MESSAGE_KEYS = ("message", "msg", "error_msg", "errormsg", "error_message", "error_description", "longmessage")


def told_findings(frame: Frame, packs: Mapping[str, Pack], common: Pack | None) -> list[Finding]:
    """A finding per catalogue row that a loud record's quoted answer meets, where no exchange carries that answer."""
    catalogues = {name: Catalogue(name, pack.errors, _holds) for name, pack in packs.items()}
    groups: dict[tuple[int, str], list[tuple[Row, Match, Row | None]]] = {}
    loud = _loud(frame)
    linked = frame.rows_of("exchange_id", (r["exchange_id"] for r in loud))
    for record in loud:
        call = _call(frame, record, linked)
        platform = str(record["platform"] or (call["platform"] if call else None) or _only(packs))
        if platform not in packs or (call is not None and call["error_code"] is not None):
            continue
        match = _read(record, call, packs[platform], catalogues[platform], common)
        if match is not None:
            groups.setdefault((id(match.entry), platform), []).append((record, match, call))
    return [_finding(frame, platform, found) for (_, platform), found in groups.items()]


def without(findings: Sequence[Finding], told: Sequence[Finding]) -> list[Finding]:
    """`findings` without the records that an answer read from them explains better."""
    taken: dict[int, float] = {}
    for each in told:
        for step in each.because[:1]:
            taken |= dict.fromkeys(step.records, each.confidence)
    kept = []
    for finding in findings:
        shown = {r for step in finding.because for r in step.records}
        if finding.rows or not shown or any(finding.confidence >= taken.get(r, 0) for r in shown):
            kept.append(finding)
    return kept


def _only(packs: Mapping[str, Pack]) -> str | None:
    return next(iter(packs)) if len(packs) == 1 else None


def _loud(frame: Frame) -> list[Row]:
    loud = (pl.col("level").is_in(LOUD) | pl.col("exception").is_not_null()).fill_null(False)
    rows = frame.records.filter(loud).unique(["message", "exception"], keep="first", maintain_order=True)
    return rows.head(MAX_RECORDS).to_dicts()


def _call(frame: Frame, record: Row, linked: Mapping[str, int]) -> Row | None:
    """The exchange that the record belongs to, else the last call before it in the same file that has no outcome."""
    if not frame.height:
        return None
    if record["exchange_id"] is not None:
        return frame.full(linked[record["exchange_id"]]) if record["exchange_id"] in linked else None
    at = record["at"]
    if not isinstance(at, datetime) or record["line"] is None:
        return None
    before = frame.between(at - _NEAR, at).filter(
        (pl.col("source_file") == record["source_file"])
        & (pl.col("direction") == "out")
        & (pl.col("line") < record["line"])
    )
    last = before.tail(1).to_dicts()
    return last[0] if last and last[0]["status"] is None and last[0]["transport_error"] is None else None


def _read(record: Row, call: Row | None, pack: Pack, own: Catalogue, common: Pack | None) -> Match | None:
    text = "\n".join(str(record[c]) for c in ("message", "exception") if record[c])[:_TEXT]
    named = _STATUS.search(text)
    status = int(named[1]) if named else call["status"] if call else None
    operation = next((o for o in pack.operations if call and o.id == call["operation"]), None)
    general = common.platform.envelope if common else ()
    best: Match | None = None
    for body in _bodies(text):
        row = {**(call or {}), "status": status, "response_body": body, "response_body_state": "reconstructed"}
        # A loud record is about a failure: where it names no status, an answer that only its status marks is read too.
        quoted = Message({**row, "status": status or _UNNAMED, "answer_state": None})
        out = judge(quoted, operation, pack.platform.envelope, general)
        code, subcode, message = (out.code, out.subcode, out.message) if out.code else _plain(body)
        if code is None:
            continue
        asked = _asked(call, status, code, subcode, message or text) | {"quoted": quoted}
        match = own.find(asked, specific=True)
        worded = out.code is not None and not (match and match.entry.fallback)
        if (
            match is not None
            and (worded or match.entry.code is not None)
            and (best is None or match.weight > best.weight)
        ):
            best = match
    return best or _bracketed(text, call, status, own)


def _bracketed(text: str, call: Row | None, status: int | None, own: Catalogue) -> Match | None:
    """The row of a code that the client's own sentence names in brackets, with the words behind it."""
    for number, said in enumerate(_NAMED.finditer(text)):
        if number >= _STARTS:
            break
        quoted = Message({**(call or {}), "status": status or _UNNAMED, "response_body": said[0], "answer_state": None})
        match = own.find(_asked(call, status, said[1], None, said[2]) | {"quoted": quoted}, specific=True)
        if match is not None and match.entry.code is not None:
            return match
    return None


def _holds(entry: ErrorRow, row: Row) -> bool:
    return all_hold(entry.tests, row["quoted"]) is True


def _bodies(text: str) -> Iterator[str]:
    """Parts of a record that may be an answer's body: from each of the first brackets on, else the whole."""
    for number, start in enumerate(_BODY.finditer(text)):
        if number >= _STARTS:
            break
        yield text[start.start() :]
    yield text


def _plain(body: str) -> tuple[str | None, str | None, str | None]:
    """The code, subcode and message that pairs in the text name, for a client that prints them one by one."""
    tree = tolerant.read(body)
    flat = {name.lower(): value for name, value in _LEAF.findall(body)}
    if isinstance(tree, dict):
        flat |= {k.lower(): v for k, v in tree.items() if isinstance(v, str)}
    code = next((flat[k] for k in _CODE_KEYS if flat.get(k)), None)
    subcode = next((flat[k] for k in _SUBCODE_KEYS if flat.get(k) and flat[k] != code), None)
    message = next((flat[k] for k in _MESSAGE_KEYS if flat.get(k)), None)
    return (code[:200] if code else None), (subcode[:200] if subcode else None), message


def _asked(call: Row | None, status: int | None, code: str, subcode: str | None, message: str) -> Row:
    answer = {"status": status, "error_code": code, "error_subcode": subcode, "error_message": message}
    return {**{k: call[k] if call else None for k in ("operation", "step")}, **answer, "row": _NO_ROW}


def _finding(frame: Frame, platform: str, found: Sequence[tuple[Row, Match, Row | None]]) -> Finding:
    record, match, call = found[0]
    entry = match.entry
    calls = [c for _, _, c in found if c is not None]
    shown = tuple(r["row"] for r, _, _ in found)
    message = str(record["message"] or record["exception"] or "")[:200]
    rows = {c["row"]: c for c in calls}
    finding = Finding(
        rule=match.rule,
        cause=entry.cause,
        confidence=min(entry.confidence, _CEILING),
        platform=platform,
        shop=call["shop"] if call else None,
        identity=call["identity"] if call else None,
        party=entry.party,
        origin=entry.origin,
        rows=tuple(n for n, c in rows.items() if c["failed"]),
        affected=tuple(n for n, c in rows.items() if not c["failed"]),
        records=tuple(r["row"] for r, _, _ in found if r["exchange_id"] is None),
        alternatives=tuple(a for a in entry.alternatives if a != entry.cause),
        because=(Because(phrase("record_shows", message=message), records=shown[:1]),),
        fix=entry.fix,
        sources=entry.source,
        unverified=entry.unverified,
        severity="info" if entry.expected else None,
    )
    if finding.rows:
        return finding
    repaired = _repaired(frame, found)
    # The call went again and passed, soon and on its own: nothing to act on, as for an exchange that recovers so.
    return replace(finding, repaired=repaired, severity="info" if repaired else finding.severity)


def _repaired(frame: Frame, found: Sequence[tuple[Row, Match, Row | None]]) -> bool | None:
    """Whether each told call soon succeeds: the same operation, host and shop, by the log's own account."""
    for record, _, call in found:
        if call is None or not isinstance(record["at"], datetime):
            return None
        later = frame.between(record["at"], record["at"] + OWN_RETRY).filter(
            frame.is_good
            & pl.col("operation_key").eq_missing(pl.lit(call["operation_key"]))
            & pl.col("shop").eq_missing(pl.lit(call["shop"], dtype=pl.String))
            & pl.col("host").eq_missing(pl.lit(call["host"], dtype=pl.String))
        )
        if later.is_empty():
            return False
    return True
