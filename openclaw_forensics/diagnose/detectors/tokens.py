"""Was this refresh token rotated away, did this access token outlive its life, and how long did each token live?"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.contrasts import Group
from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.findings import Because, Finding
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.result import Details, TokenLife, TokenUse

Row = dict[str, Any]
_MOST_TOKENS = 12
_MOST_USES = 50


def detect(question: Question) -> Answer:
    """Proof from fingerprints: reuse of a rotated refresh token, use of an access token past its stated life."""
    frame = question.frame
    claimed = {r: f for f in question.so_far if f.cause.startswith("auth.") for r in f.rows}
    groups: dict[tuple[object, object], list[Row]] = defaultdict(list)
    for row in frame.failures:
        if row["row"] in claimed and (row["token"] or row["refresh_token"]):
            groups[row["platform"], row["identity"]].append(row)
    findings = []
    for rows in groups.values():
        details = Details(tokens=_lives(question, rows[0]))
        findings += _reused(question, rows, details)
        findings += _outlived(question, rows, details, claimed)
        findings += _with_details(rows, details, claimed)
    return Answer(findings, sum(map(len, groups.values())))


def _reused(question: Question, rows: list[Row], details: Details) -> list[Finding]:
    pack = question.knowledge.packs.get(str(rows[0]["platform"]))
    if pack is None or pack.platform.tokens.rotates is not True:
        return []
    again = [
        r for r in rows
        if r["refresh_token"] and question.contrasts.holds("refresh_token_reused", Group(question.frame, [r])) is True
    ]  # fmt: skip
    if not again:
        return []
    numbers = tuple(r["row"] for r in again)
    return [
        Finding(
            rule=question.rule.id, cause="auth.refresh_token_invalid", confidence=question.number("reused_confidence"),
            platform=_text(again[0]["platform"]), shop=_text(again[0]["shop"]), identity=_text(again[0]["identity"]),
            party="erp", origin="our_defect", rows=numbers, proof=True, details=details,
            because=(Because(phrase("refresh_token_reused"), numbers[:1]),), sources=question.rule.source,
        )
    ]  # fmt: skip


def _outlived(question: Question, rows: list[Row], details: Details, claimed: dict[int, Finding]) -> list[Finding]:
    old = [
        r for r in rows
        if r["token"] and claimed[r["row"]].cause.startswith("auth.access_token")
        and question.contrasts.holds("token_aged_out", Group(question.frame, [r])) is True
    ]  # fmt: skip
    if not old:
        return []
    numbers = tuple(r["row"] for r in old)
    return [
        Finding(
            rule=question.rule.id, cause="auth.access_token_expired",
            confidence=question.number("outlived_confidence"), platform=_text(old[0]["platform"]),
            shop=_text(old[0]["shop"]), identity=_text(old[0]["identity"]), rows=numbers, details=details,
            because=(Because(phrase("token_aged_out"), numbers[:1]),), sources=question.rule.source,
        )
    ]  # fmt: skip


def _with_details(rows: list[Row], details: Details, claimed: dict[int, Finding]) -> list[Finding]:
    """The token bars beside whatever the catalogue already says; adds no confidence."""
    from dataclasses import replace

    findings = {id(claimed[r["row"]]): claimed[r["row"]] for r in rows}
    return [replace(f, details=details) for f in findings.values()]


def _lives(question: Question, row: Row) -> tuple[TokenLife, ...]:
    """The life of each token of this identity, refused ones first. Names are fingerprints; redaction renames them."""
    frame = question.frame
    ours = frame.among(
        pl.col("platform").eq_missing(pl.lit(row["platform"], dtype=pl.String))
        & pl.col("identity").eq_missing(pl.lit(row["identity"], dtype=pl.String))
    )
    issued = _issued(ours)
    lives = []
    for kind, column in (("access_token", "token"), ("refresh_token", "refresh_token")):
        used = ours.filter(pl.col(column).is_not_null())
        for part in used.partition_by(column, maintain_order=True):
            lives.append(_life(part, str(part[column][0]), kind, issued, question))
    lives.sort(key=lambda t: (all(u.ok for u in t.uses), t.kind != "refresh_token", str(t.issued_at), t.name))
    return tuple(lives[:_MOST_TOKENS])


def _issued(ours: pl.DataFrame) -> dict[str, tuple[datetime, float | None]]:
    table = ours.filter(~pl.col("failed") & (pl.col("issued_tokens").list.len() > 0))
    found: dict[str, tuple[datetime, float | None]] = {}
    for at, tokens in table.select("started_at", "issued_tokens").iter_rows():
        for token in tokens:
            if token["token"] and at is not None:
                found.setdefault(token["token"], (at, token["expires_in_s"]))
    return found


def _life(
    part: pl.DataFrame, name: str, kind: str, issued: dict[str, tuple[datetime, float | None]], question: Question
) -> TokenLife:
    uses = [
        TokenUse(exchange=str(i), at=at, ok=not failed)
        for i, at, failed in part.select("exchange_id", "started_at", "failed").head(_MOST_USES).iter_rows()
    ]
    at, life = issued.get(name, (None, None))
    pack = question.knowledge.packs.get(str(part["platform"][0]))
    documented = None
    if pack is not None:
        tokens = pack.platform.tokens
        documented = tokens.access_life_s if kind == "access_token" else tokens.refresh_life_s
    seconds = life if life is not None else documented
    return TokenLife(
        name=f"{kind}:{name}",
        kind=kind,
        issued_at=at,
        expires_at=at + timedelta(seconds=seconds) if at is not None and seconds is not None else None,
        basis="issued" if life is not None else "derived" if at is not None and seconds is not None else "unknown",
        uses=tuple(uses),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
