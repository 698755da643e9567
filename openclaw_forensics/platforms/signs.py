"""Platforms by the look of a message, where the host tells nothing: path, parameters, header names, bodies.

All that depends on names alone is asked once per distinct combination of names; bodies are searched only in rows where
everything else of a signature fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from openclaw_forensics.platforms.load import PackSet
from openclaw_forensics.platforms.message import FORM, TEXT_LIMIT
from openclaw_forensics.platforms.model import Signature
from openclaw_forensics.platforms.operations import FEW_PATHS, exemplars

ANYONE = ""  # a callback by an open convention: from whom is not known
USER_AGENT_WEIGHT = 0.85
HITS = {"row": pl.UInt32, "platform": pl.String, "weight": pl.Float64, "callback": pl.Boolean, "call": pl.Boolean}


@dataclass(frozen=True, slots=True)
class _Sign:
    platform: str
    signature: Signature
    callback: bool


class SignIndex:
    """All signatures of all packs, compiled."""

    def __init__(self, packs: PackSet) -> None:
        self.signs: list[_Sign] = []
        self.agents: list[tuple[str, re.Pattern[str]]] = []
        if packs.common.webhooks:
            self.signs += [_Sign(ANYONE, s, True) for s in packs.common.webhooks.recognise]
        for platform, head in packs.heads.items():
            self.signs += [_Sign(platform, s, False) for s in head.platform.recognise]
            if head.webhooks:
                self.signs += [_Sign(platform, s, True) for s in head.webhooks.recognise]
                self.agents += [(platform, re.compile(agent)) for agent in head.webhooks.user_agents]

    def hits(self, frame: pl.DataFrame) -> pl.DataFrame:
        """One row for every signature that fits: row, platform, weight, whether it shows a callback or a call."""
        features = _features(frame)
        names = [c for c in features.columns if c != "row"]
        distinct = features.select(names).unique(maintain_order=True)
        found: list[tuple[int, int]] = []
        agents: list[tuple[int, str]] = []
        for number, row in enumerate(distinct.iter_rows(named=True)):
            look = _Look(row)
            found += [(number, i) for i, sign in enumerate(self.signs) if look.fits(sign)]
            agents += [(number, platform) for platform, agent in self.agents if agent.search(row["agent"] or "")]
        numbered = distinct.with_row_index("combination")
        rows = features.join(numbered, on=names, how="left", nulls_equal=True, maintain_order="left")
        rows = rows.select("row", "combination")
        return pl.concat([self._by_signature(frame, rows, found), self._by_agent(rows, agents)])

    def _by_signature(self, frame: pl.DataFrame, rows: pl.DataFrame, found: list[tuple[int, int]]) -> pl.DataFrame:
        parts = [pl.DataFrame(schema=HITS)]
        for index in sorted({i for _, i in found}):
            sign = self.signs[index]
            fitting = rows.filter(pl.col("combination").is_in([n for n, i in found if i == index]))["row"]
            if sign.signature.body is not None:
                sides = ("request",) if sign.callback else ("request", "response")
                fitting = fitting.filter(_bodies_match(frame[fitting], sign.signature.body, sides))
            call = not sign.callback and sign.signature.path is not None
            parts.append(hit_rows(fitting, sign.platform, sign.signature.weight, callback=sign.callback, call=call))
        return pl.concat(parts)

    def _by_agent(self, rows: pl.DataFrame, agents: list[tuple[int, str]]) -> pl.DataFrame:
        parts = [pl.DataFrame(schema=HITS)]
        for platform in sorted({p for _, p in agents}):
            fitting = rows.filter(pl.col("combination").is_in([n for n, p in agents if p == platform]))["row"]
            parts.append(hit_rows(fitting, platform, USER_AGENT_WEIGHT, callback=True))
        return pl.concat(parts)


def hit_rows(
    rows: pl.Series, platform: str, weight: float, *, callback: bool = False, call: bool = False
) -> pl.DataFrame:
    """A hit of one signature in each of `rows`, with the columns of `HITS`."""
    return pl.DataFrame({"row": rows}, schema={"row": pl.UInt32}).with_columns(
        platform=pl.lit(platform), weight=pl.lit(weight), callback=pl.lit(callback), call=pl.lit(call)
    )


def _bodies_match(frame: pl.DataFrame, pattern: str, sides: Iterable[str]) -> pl.Series:
    bodies = [pl.col(f"{side}_body").str.slice(0, TEXT_LIMIT).str.contains(pattern) for side in sides]
    return frame.select(pl.any_horizontal(bodies).fill_null(False).alias("hit"))["hit"]


class _Look:
    """One distinct combination of names."""

    def __init__(self, row: dict[str, str | None]) -> None:
        self.inbound = row["direction"] == "inbound"
        self.path = row["path"]
        self.client = row["client_class"]
        self.parameters = frozenset(f"{row['query_names'] or ''}&{row['form_names'] or ''}".split("&"))
        self.request = frozenset((row["request_names"] or "").split("\n"))
        self.response = frozenset((row["response_names"] or "").split("\n"))

    def fits(self, sign: _Sign) -> bool:
        """Whether everything but the body fits; a signature of bodies alone fits everywhere."""
        s = sign.signature
        if self.inbound and not sign.callback and not s.request_headers:
            return False  # what reaches us is told by its headers, not by looking like an answer or a call of ours
        if s.record is not None:
            return self.client is not None and re.search(s.record, self.client) is not None
        if s.path is not None and (self.path is None or re.search(s.path, self.path) is None):
            return False
        asked = (s.path, s.query, s.request_headers, s.response_headers, s.body)
        return (
            any(asked)
            and self.parameters.issuperset(s.query)
            and self.request.issuperset(h.lower() for h in s.request_headers)
            and self.response.issuperset(h.lower() for h in s.response_headers)
        )


def _features(frame: pl.DataFrame) -> pl.DataFrame:
    """The names that a message shows, one row each."""
    form = pl.when(pl.col("request_body").str.contains(FORM)).then(_names(pl.col("request_body").str.slice(0, 4096)))
    agent = pl.element().filter(pl.element().struct.field("name").str.to_lowercase() == "user-agent")
    return frame.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        "direction",
        _example_paths(frame["path"]),
        "client_class",
        _names(pl.col("query")).alias("query_names"),
        form.alias("form_names"),
        _header_names("request"),
        _header_names("response"),
        pl.col("request_headers").list.eval(agent.struct.field("value")).list.first().alias("agent"),
    )


def _names(pairs: pl.Expr) -> pl.Expr:
    return pairs.str.replace_all("=[^&]*", "").str.replace_all("%5B", "[", literal=True).str.replace_all("%5D", "]")


def _header_names(side: str) -> pl.Expr:
    names = pl.element().struct.field("name").str.to_lowercase()
    return pl.col(f"{side}_headers").list.eval(names).list.join("\n").alias(f"{side}_names")


def _example_paths(paths: pl.Series) -> pl.Series:
    """Each path, or another of the same shape (version segments apart) in its place where there are many."""
    distinct = paths.drop_nulls().unique()
    if len(distinct) <= FEW_PATHS:
        return paths.alias("path")
    versions = distinct.str.extract_all("(?:^|/)(v?[0-9][0-9.]{0,5}|20[0-9]{2}-[0-9]{2}(?:-[0-9]{2})?)(?:/|$)")
    kept: Iterable[str] = versions.explode().drop_nulls().str.strip_chars("/").unique().sort().head(500)
    return exemplars(paths, kept)


def best(hits: pl.DataFrame) -> pl.DataFrame:
    """row, platform, callback of the best weight for each row; rows where two platforms tie are left out.

    A callback has the shape of one and no path of the platform's own API.
    """
    strongest = hits.group_by("row", "platform").agg(
        pl.col("weight").max(), (pl.col("callback").any() & ~pl.col("call").any()).alias("callback")
    )
    top = strongest.filter(pl.col("weight") == pl.col("weight").max().over("row"))
    return top.filter(pl.len().over("row") == 1).select("row", "platform", "callback").sort("row")
