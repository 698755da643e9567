"""Who has to act: the cause's usual party is a prior, evidence moves it, and every other party gets its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.apart import lie_apart
from openclaw_forensics.diagnose.attribution import Owned
from openclaw_forensics.diagnose.contrasts import Contrasts, Group
from openclaw_forensics.diagnose.findings import Cleared
from openclaw_forensics.diagnose.frame import MEANWHILE, Frame
from openclaw_forensics.diagnose.knowledge import Relations, phrase
from openclaw_forensics.taxonomy import taxonomy

_LEAST_FOR_A_PARTY = 0.4  # below, a lead only: nobody is named
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The acting party, the origin, and why not the others."""

    party: str
    origin: str
    others: tuple[Cleared, ...]


class Parties:
    """Judges over one frame. `app_owners`: who owns the app, by platform, where the pack settles it."""

    def __init__(self, frame: Frame, relations: Relations, contrasts: Contrasts, app_owners: Mapping[str, str]) -> None:
        self._frame, self._relations, self._contrasts = frame, relations, contrasts
        self._app_owners = app_owners

    def judge(self, owned: Owned) -> Judgement:
        """Party, origin and the answer for every other party."""
        finding = owned.finding
        cause = taxonomy().causes[finding.cause]
        rows = [self._frame.failing[r] for r in owned.direct or owned.explained if r in self._frame.failing]
        party = finding.party or self._app_level(finding.cause, finding.platform, rows) or cause.party
        if finding.unverified or finding.confidence < _LEAST_FOR_A_PARTY:
            party = "undetermined"
        apart = self._relations.apart
        if party == "erp" and finding.cause in apart.causes and rows and lie_apart(self._frame, rows, apart):
            party = "undetermined"
        return Judgement(party, finding.origin or cause.origin, self._others(owned, party, rows))

    def _app_level(self, cause: str, platform: str | None, rows: Sequence[Row]) -> str | None:
        if cause not in self._relations.app_level:
            return None
        if owner := self._app_owners.get(str(platform)):
            return owner
        if rows and self._contrasts.holds("identity_one_app_many_shops", Group(self._frame, rows)) is True:
            return "erp"
        return "seller"

    def _others(self, owned: Owned, party: str, rows: Sequence[Row]) -> tuple[Cleared, ...]:
        finding = owned.finding
        known = {c.party: c for c in finding.cleared}
        open_for: dict[str, str] = {}
        for alternative in finding.alternatives:
            open_for.setdefault(taxonomy().causes[alternative].party, alternative)
        views = []
        for other in ("seller", "erp", "platform", "network", "carrier"):
            if other == party:
                continue
            if other in open_for:
                name = taxonomy().causes[open_for[other]].name
                views.append(Cleared(other, False, phrase("open_alternative", cause=name)))
            elif other in known:
                views.append(known[other])
            else:
                views.append(self._argue(other, party, owned, rows))
        return tuple(views)

    def _argue(self, other: str, party: str, owned: Owned, rows: Sequence[Row]) -> Cleared:
        evidence = tuple(owned.direct[:1])
        answered = bool(rows) and all(r["status"] is not None for r in rows)
        callback = bool(rows) and all(r["direction"] == "callback" for r in rows)
        own_answer = answered and any(r["error_code"] is not None or r["request_id"] is not None for r in rows)
        if other == "carrier":
            return Cleared(other, True, phrase("not_carrier_absent"))
        if other == "network" and callback and answered and party != "undetermined":
            return Cleared(other, True, phrase("not_network_receiver"), evidence)
        if other == "network" and own_answer:
            return Cleared(other, True, phrase("not_network_answered"), evidence)
        if other == "platform":
            return self._platform(rows, evidence, callback=callback, own_answer=own_answer)
        if other == "seller" and party in ("erp", "network", "platform") and owned.finding.confidence > 0.6:
            return Cleared(other, True, phrase("not_seller_technical"), evidence)
        if other == "erp" and party == "network" and not answered and owned.finding.confidence > 0.6:
            return Cleared(other, True, phrase("not_erp_unreached"), evidence)
        if other == "erp" and party in ("seller", "platform") and owned.finding.confidence >= 0.8:
            return Cleared(other, True, phrase("not_erp_documented"), evidence)
        return Cleared(other, False, phrase("open_unknown"))

    def _fine_meanwhile(self, rows: Sequence[Row]) -> tuple[int, ...]:
        """The success of another shop, or else of another operation, that lies nearest to the first failure."""
        first = rows[0]
        at = first["started_at"]
        if not isinstance(at, datetime):
            return ()
        near = (
            self._frame.between(at - MEANWHILE, at + MEANWHILE)
            .filter(self._frame.is_good & (pl.col("platform") == first["platform"]) & (pl.col("direction") == "out"))
            .select(
                "row",
                other=pl.col("identity").ne_missing(pl.lit(first["identity"], dtype=pl.String)),
                distance=(pl.col("started_at") - at).abs(),
            )
        )
        found = near.sort(["other", "distance", "row"], descending=[True, False, False])
        return (int(found["row"][0]),) if found.height else ()

    def _platform(self, rows: Sequence[Row], evidence: tuple[int, ...], *, callback: bool, own_answer: bool) -> Cleared:
        if callback:
            return Cleared("platform", True, phrase("not_platform_callback"), evidence)
        if rows and all(r["status"] is None and r["transport_error"] in ("dns", "connect", "tls") for r in rows):
            return Cleared("platform", False, phrase("not_platform_unreached"), evidence)
        if rows and own_answer:
            group = Group(self._frame, rows)
            if any(self._contrasts.holds(c, group) is True for c in ("other_shops_ok", "token_works_elsewhere")):
                return Cleared(
                    "platform", True, phrase("not_platform_others_ok"), self._fine_meanwhile(rows) or evidence
                )
            if all((r["status"] or 0) and int(str(r["status"])) < 500 for r in rows):
                return Cleared("platform", True, phrase("not_platform_documented"), evidence)
        return Cleared("platform", False, phrase("open_unknown"))
