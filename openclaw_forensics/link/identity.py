"""Identity: which exchanges belong to one shop's authorisation, though token refreshes and most calls name no shop.

Connected components of tokens, refresh tokens and shops within a platform. An app joins them only where it serves at
most one shop in the capture: one app with many shops would melt them together. How many it serves is asked of the
components, because a token refresh names the app and no shop. An exchange that names nothing joins the only identity
of its platform, else stays on its own and explains nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

import polars as pl


class _Components:
    """Union-find over names."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, name: str) -> str:
        parent = self._parent.setdefault(name, name)
        while parent != self._parent[parent]:
            self._parent[name] = parent = self._parent[parent]
        return parent

    def join(self, names: Iterable[str]) -> None:
        roots = sorted({self.root(n) for n in names})
        for other in roots[1:]:
            self._parent[other] = roots[0]


_KEYS = ["platform", "app", "shop", "token", "refresh_token", "issued"]


COLUMNS = ("platform", "app", "shop", "token", "refresh_token", "issued_tokens", "started_at")
_ISSUED = pl.col("issued_tokens").list.eval(pl.element().struct.field("token"))
_TEXT = pl.col("issued").list.join("\x00", ignore_nulls=True)


class Identities:
    """Who is who in a capture."""

    def __init__(self, parts: Iterable[pl.DataFrame]) -> None:
        """`parts` of the exchanges, with `COLUMNS`."""
        first, last = pl.col("started_at").min(), pl.col("started_at").max()
        seen = [
            part.lazy()
            .with_columns(issued=_ISSUED)
            .group_by(_KEYS, maintain_order=True)
            .agg(first=first, last=last)
            .collect()
            for part in parts
        ]
        spans = pl.col("first").min(), pl.col("last").max()
        found = pl.concat(seen).group_by(_KEYS, maintain_order=True).agg(*spans) if seen else pl.DataFrame()
        table = found.to_dicts()
        identities = _identities(table)
        shops = _shops(table, identities)
        self._known = pl.DataFrame(
            {
                **{k: [row[k] for row in table] for k in _KEYS},
                "identity": identities,
                "only_shop": [shops.get(str(i)) for i in identities],
            },
            schema={
                **dict.fromkeys(_KEYS[:-1], pl.String),
                "issued": pl.List(pl.String),
                "identity": pl.String,
                "only_shop": pl.String,
            },
        ).with_columns(_TEXT)

    def named(self, exchanges: pl.DataFrame) -> pl.DataFrame:
        """`exchanges` with `identity` filled, and `shop` where an identity has exactly one."""
        found = (  # only the keys are joined: a copy of the whole frame would cost as much as the capture
            exchanges.lazy()
            .select(*_KEYS[:-1], issued=_ISSUED)
            .with_columns(_TEXT)
            .join(self._known.lazy(), on=_KEYS, how="left", nulls_equal=True, maintain_order="left")
            .select("identity", shop=pl.coalesce("shop", "only_shop"))
            .collect()
        )
        return exchanges.with_columns(found["identity"], found["shop"])


def _identities(table: list[dict[str, object]]) -> list[str | None]:
    components = _Components()
    names = [_names(row) for row in table]
    for linked in names:
        if linked:
            components.join(linked)
    _join_by_app(table, names, components)
    roots = [components.root(linked[0]) if linked else None for linked in names]
    roots = _gathered(table, roots)
    lone: dict[object, set[str]] = defaultdict(set)
    for row, root in zip(table, roots, strict=True):
        if root is not None:
            lone[row["platform"]].add(root)
    numbered: dict[str, str] = {}
    result: list[str | None] = []
    for row, root in zip(table, roots, strict=True):
        known = lone[row["platform"]]
        chosen = root or (next(iter(known)) if len(known) == 1 else None)
        if chosen is None and row["platform"] is not None and not known:
            chosen = f"{row['platform']}\x00alone"
        result.append(numbered.setdefault(chosen, f"i{len(numbered) + 1}") if chosen else None)
    return result


def _join_by_app(table: list[dict[str, object]], names: list[list[str]], components: _Components) -> None:
    """Joins what an app ties together where that is one shop; a row that names nothing else is named by its app."""
    held: dict[str, list[dict[str, object]]] = defaultdict(list)  # rows of each component
    tied: dict[str, set[str]] = defaultdict(set)  # components of each app
    for row, linked in zip(table, names, strict=True):
        app = (
            f"{row['platform']}\x00a\x00{row['app']}"
            if row["app"] is not None and row["platform"] is not None
            else None
        )
        if linked:
            held[components.root(linked[0])].append(row)
        if app is not None:
            tied[app].add(components.root(linked[0]) if linked else app)
            if not linked:
                linked.append(app)
    for app, roots in tied.items():
        served = {row["shop"] for root in roots for row in held[root]} - {None}
        nameless = [held[r] for r in sorted(roots) if r != app and all(row["shop"] is None for row in held[r])]
        if len(served) <= 1 and (len(nameless) < 2 or _one_after_the_other(nameless)):
            components.join([app, *roots])


def _gathered(table: list[dict[str, object]], roots: list[str | None]) -> list[str | None]:
    """Components that name only tokens, joined to the one that names more, or to each other in sequence."""
    by_platform: dict[object, dict[str, list[dict[str, object]]]] = defaultdict(lambda: defaultdict(list))
    for row, root in zip(table, roots, strict=True):
        if root is not None:
            by_platform[row["platform"]][root].append(row)
    becomes: dict[str, str] = {}
    for platform, components in by_platform.items():
        strong = [r for r, rows in components.items() if any(_names_more(row) for row in rows)]
        weak = [r for r in components if r not in strong]
        if platform is None or not weak:
            continue
        if len(strong) == 1:
            becomes |= dict.fromkeys(weak, strong[0])
        elif not strong and _one_after_the_other([components[r] for r in weak]):
            becomes |= dict.fromkeys(weak, weak[0])
    return [None if r is None else becomes.get(r, r) for r in roots]


def _names_more(row: dict[str, object]) -> bool:
    return row["shop"] is not None or row["app"] is not None or row["refresh_token"] is not None or bool(row["issued"])


def _one_after_the_other(components: list[list[dict[str, object]]]) -> bool:
    spans = []
    for rows in components:
        firsts = [r["first"] for r in rows if isinstance(r["first"], datetime)]
        lasts = [r["last"] for r in rows if isinstance(r["last"], datetime)]
        if not firsts or not lasts:
            return False
        spans.append((min(firsts), max(lasts)))
    spans.sort()
    return all(a[1] <= b[0] for a, b in pairwise(spans))


def _names(row: dict[str, object]) -> list[str]:
    """The names that tie an exchange to others, each marked with its platform and kind; the app comes later."""
    platform = row["platform"]
    names = [f"{platform}\x00t\x00{row[k]}" for k in ("token", "refresh_token") if row[k] is not None]
    issued = row["issued"]
    if isinstance(issued, list):
        names += [f"{platform}\x00t\x00{t}" for t in issued if t is not None]
    if row["shop"] is not None:
        names.append(f"{platform}\x00s\x00{row['shop']}")
    return names


def _shops(table: list[dict[str, object]], identities: list[str | None]) -> dict[str, str | None]:
    """The shop of each identity that has exactly one."""
    found: dict[str, set[str]] = defaultdict(set)
    for row, identity in zip(table, identities, strict=True):
        if identity is not None and row["shop"] is not None:
            found[identity].add(str(row["shop"]))
    return {i: next(iter(s)) for i, s in found.items() if len(s) == 1}
