"""What the rest of the capture says about a group of failures: each contrast is true, false or unknown (None)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.frame import MEANWHILE, Frame, Success

Row = dict[str, Any]
_FAR_PAST, _FAR_FUTURE = datetime.min, datetime.max


class Group:
    """Failing rows of one identity that one rule claims."""

    def __init__(self, frame: Frame, rows: Sequence[Row]) -> None:
        self.frame, self.rows = frame, rows
        first = rows[0]
        self.platform = None if first["platform"] is None else str(first["platform"])
        self.identity, self.shop, self.app = first["identity"], first["shop"], first["app"]
        self.times = sorted(t for r in rows if isinstance(t := r["started_at"], datetime))
        self.operations = {str(r["operation_key"]) for r in rows}
        self.tokens = {t for r in rows if (t := r["token"])}

    def ours(self, success: Success) -> bool:
        """Whether a success is of the same platform and identity."""
        return success.platform == self.platform and success.identity == self.identity

    def before(self, success: Success) -> bool:
        """Whether it began before the first failure."""
        return bool(self.times) and success.first is not None and success.first < self.times[0]

    def after(self, success: Success) -> bool:
        """Whether it went on after the first failure."""
        return bool(self.times) and success.last is not None and success.last >= self.times[0]

    def meanwhile(self, success: Success) -> bool:
        """Whether it overlaps the time of the failures, a quarter of an hour on either side."""
        if not self.times or success.first is None or success.last is None:
            return False
        return success.first <= self.times[-1] + MEANWHILE and success.last >= self.times[0] - MEANWHILE


class Contrasts:
    """Answers the contrasts named in a pack for groups of one frame."""

    def __init__(self, frame: Frame, refreshing: frozenset[str], lives: dict[str, float]) -> None:
        """`refreshing`: operations that refresh tokens; `lives`: access token life in seconds by platform."""
        self.frame, self.refreshing, self.lives = frame, refreshing, lives
        self._answers: dict[str, Callable[[Group], bool | None]] = {
            "token_worked_before": self._token_worked_before,
            "token_works_elsewhere": self._token_works_elsewhere,
            "never_worked": self._never_worked,
            "same_operation_ok": self._same_operation_ok,
            "other_shops_ok": self._other_shops_ok,
            "other_regions_ok": self._other_regions_ok,
            "several_operations": lambda g: len(g.operations) > 1,
            "several_shops_failing": self._several_shops_failing,
            "refresh_token_reused": self._refresh_token_reused,
            "refresh_worked_before": self._refresh_worked_before,
            "token_aged_out": self._token_aged_out,
            "identity_one_app_many_shops": self._one_app_many_shops,
            "sandbox_host": self._sandbox_host,
            "passed_unchanged_later": self._passed_unchanged_later,
        }  # fmt: skip

    def holds(self, contrast: str, group: Group) -> bool | None:
        """The answer for one group."""
        return self._answers[contrast](group)

    def all_hold(self, wanted: Sequence[str], unless: Sequence[str], group: Group) -> bool:
        """Whether all of `wanted` are true and none of `unless` is; unknown is neither."""
        return all(self.holds(c, group) is True for c in wanted) and not any(
            self.holds(c, group) is True for c in unless
        )

    @cached_property
    def _by_platform(self) -> dict[str | None, list[Success]]:
        found: dict[str | None, list[Success]] = defaultdict(list)
        for success in (*self.frame.successes, *self.frame.beside.successes):
            found[success.platform].append(success)
        return found

    def _any(self, g: Group, test: Callable[[Success], bool]) -> bool:
        return any(test(s) for s in self._by_platform.get(g.platform, ()))

    def _token_worked_before(self, g: Group) -> bool | None:
        if g.tokens:
            return self._any(g, lambda s: s.token in g.tokens and g.before(s))
        return self._any(g, lambda s: self._alike(g, s) and g.before(s)) or None

    def _token_works_elsewhere(self, g: Group) -> bool | None:
        if g.tokens:
            return self._any(g, lambda s: s.token in g.tokens and s.operation_key not in g.operations and g.after(s))
        return self._shop_works_elsewhere(g) or None

    @staticmethod
    def _alike(g: Group, s: Success) -> bool:
        """A call of the same shop whose token was not recorded either: logs mask tokens, and the shop stands for it."""
        return g.identity is not None and g.ours(s) and s.token is None and s.direction == "out"

    def _shop_works_elsewhere(self, g: Group) -> bool:
        """The shop's other operations pass within a quarter of an hour after, with no new token fetched between."""
        if not g.times or not self._any(g, lambda s: self._alike(g, s) and s.operation_key not in g.operations):
            return False
        near = self.frame.between(g.times[0], g.times[-1] + MEANWHILE)
        passed = near.filter(
            self.frame.is_good & (pl.col("platform") == g.platform) & (pl.col("identity") == g.identity)
            & (pl.col("direction") == "out") & ~pl.col("operation_key").is_in(sorted(g.operations))
        )["row"]  # fmt: skip
        first = min(r["row"] for r in g.rows)
        renewed = min((r["row"] for r in self._refreshes if r["row"] > first), default=None)
        return any(first < row and (renewed is None or row < renewed) for row in passed)

    def _never_worked(self, g: Group) -> bool | None:
        if self._any(g, lambda s: g.ours(s) and s.direction == "out"):
            return False
        operations = {
            str(r["operation_key"])
            for r in self.frame.failures
            if r["platform"] == g.platform and r["identity"] == g.identity
        }
        return len(operations) >= 2

    def _same_operation_ok(self, g: Group) -> bool:
        return self._any(g, lambda s: g.ours(s) and s.operation_key in g.operations)

    def _other_shops_ok(self, g: Group) -> bool | None:
        if not g.times:
            return None
        return self._any(
            g,
            lambda s: s.platform == g.platform and s.identity != g.identity and s.direction == "out" and g.meanwhile(s),
        )

    def _other_regions_ok(self, g: Group) -> bool | None:
        region = g.rows[0]["region"]
        if region is None:
            return None
        return self._any(
            g, lambda s: (s.token in g.tokens or g.ours(s)) and s.region is not None and s.region != region
        )

    def _several_shops_failing(self, g: Group) -> bool:
        causes = {r["error_code"] for r in g.rows}
        identities = {
            r["identity"]
            for r in self.frame.failures
            if r["platform"] == g.platform
            and r["error_code"] in causes
            and (g.app is None or r["app"] in (None, g.app))
        }
        return len(identities) > 1

    @cached_property
    def _refreshes(self) -> list[Row]:
        if not self.refreshing:
            return []
        refreshing = pl.col("operation").is_in(sorted(self.refreshing))
        good = self.frame.exchanges.filter(refreshing & ~pl.col("failed") & (pl.col("status") < 400))
        columns = ("row", "started_at", "platform", "identity", "refresh_token", "issued_tokens", "token")
        return good.select(columns).collect().to_dicts()

    def witness(self, contrast: str, g: Group) -> int | None:
        """The earlier exchange that shows a contrast about refreshes; None where no single one does."""
        first = min(r["row"] for r in g.rows)
        presented = {t for r in g.rows if (t := r["refresh_token"])}
        earlier = [r for r in self._refreshes if r["row"] < first and r["platform"] == g.platform]
        if contrast == "refresh_worked_before":
            rows = [r["row"] for r in earlier if r["identity"] == g.identity]
        elif contrast == "refresh_token_reused":
            rows = [r["row"] for r in earlier if r["refresh_token"] in presented]
        else:
            rows = []
        return rows[-1] if rows else None

    def _refresh_token_reused(self, g: Group) -> bool | None:
        presented = {t for r in g.rows if (t := r["refresh_token"])}
        if not presented:
            return None
        first = min(r["row"] for r in g.rows)
        return any(r["refresh_token"] in presented and r["row"] < first for r in self._refreshes)

    def _refresh_worked_before(self, g: Group) -> bool:
        first = min(r["row"] for r in g.rows)
        ours = [r for r in self._refreshes if r["platform"] == g.platform and r["identity"] == g.identity]
        return (
            any(r["row"] < first for r in ours)
            or self._any(g, lambda s: g.ours(s) and s.token is not None and s.direction == "out" and g.before(s))
            or self._token_call_passed_before(g)
        )

    def _token_call_passed_before(self, g: Group) -> bool:
        """The refused token call itself passed before, for one shop at most where the refusal names none."""
        if any(r["step"] != "token" for r in g.rows):
            return False
        passed = {
            s.identity
            for s in self._by_platform.get(g.platform, ())
            if s.operation_key in g.operations and s.direction == "out" and g.before(s)
        }
        return len(passed) == 1 and (g.identity is None or passed <= {g.identity, None})

    @cached_property
    def _issued(self) -> dict[str, tuple[datetime, float | None]]:
        """Access token fingerprint -> when it was issued, and its life in seconds."""
        issued: dict[str, tuple[datetime, float | None]] = {}
        for refresh in self._refreshes:
            tokens, at = refresh["issued_tokens"], refresh["started_at"]
            if isinstance(tokens, list) and isinstance(at, datetime):
                for token in tokens:
                    if token["kind"] == "access_token" and token["token"]:
                        issued[token["token"]] = (at, token["expires_in_s"])
        return issued

    def _token_aged_out(self, g: Group) -> bool | None:
        known = [self._issued[str(t)] for t in g.tokens if t in self._issued]
        if not known or not g.times:
            return None
        issued, life = min(known)
        life = life or self.lives.get(str(g.platform))
        return None if life is None else (g.times[0] - issued).total_seconds() >= life

    @cached_property
    def _shops_of_app(self) -> dict[tuple[str, str], int]:
        counts: dict[tuple[str, str], int] = defaultdict(int)
        table = self.frame.kinds.select("platform", "app", "shop").unique().drop_nulls(["app", "shop"])
        for platform, app in table.select("platform", "app").rows():
            counts[str(platform), str(app)] += 1
        return counts

    def _one_app_many_shops(self, g: Group) -> bool | None:
        if g.app is None:
            return None
        return self._shops_of_app.get((str(g.platform), str(g.app)), 0) > 1

    @staticmethod
    def _sandbox_host(g: Group) -> bool | None:
        environment = g.rows[0]["environment"]
        return None if environment is None else environment == "sandbox"

    def _passed_unchanged_later(self, g: Group) -> bool:
        return self._any(
            g, lambda s: g.ours(s) and s.operation_key in g.operations and g.after(s) and s.token in g.tokens
        )
