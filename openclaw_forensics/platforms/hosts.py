"""Platforms by host: a pack's own hosts are decisive, then the gateways that the user declared."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from openclaw_forensics.platforms.load import PackSet
from openclaw_forensics.platforms.model import Host


@dataclass(frozen=True, slots=True)
class HostHit:
    """What a host's name tells."""

    platform: str
    environment: str | None = None
    region: str | None = None
    role: str | None = None
    prefix: str = ""  # stands before the platform's own path


class HostIndex:
    """All hosts of all packs: exact names in a table, globs by how much of the name they spell."""

    def __init__(self, packs: PackSet) -> None:
        self.exact: dict[str, set[HostHit]] = {}
        globs: list[tuple[int, str, HostHit]] = []
        for platform, head in packs.heads.items():
            for host in head.platform.hosts:
                self._add(globs, platform, host)
        self.globs = [
            (re.compile(fnmatch.translate(pattern)), weight, hit)
            for weight, pattern, hit in sorted(globs, key=lambda g: (-g[0], g[1], g[2].platform))
        ]
        self.gateways = [(re.compile(fnmatch.translate(g.host.lower())), g) for g in packs.gateways]

    def _add(self, globs: list[tuple[int, str, HostHit]], platform: str, host: Host) -> None:
        hit = HostHit(platform, host.environment, host.region, host.role)
        pattern = host.pattern.lower()
        if any(c in pattern for c in "*?["):
            globs.append((len(pattern.replace("*", "").replace("?", "")), pattern, hit))
        else:
            self.exact.setdefault(pattern, set()).add(hit)

    def find(self, host: str) -> HostHit | None:
        """The hit of the most specific pattern; None where none fits or two platforms claim the host alike."""
        if hits := self.exact.get(host):
            return _only(hits)
        best: set[HostHit] = set()
        weight = -1
        for pattern, literal, hit in self.globs:
            if literal < weight:
                break
            if pattern.match(host):
                best.add(hit)
                weight = literal
        return _only(best)


def _only(hits: Iterable[HostHit]) -> HostHit | None:
    found = sorted(hits, key=lambda h: (h.platform, h.environment or "", h.region or ""))
    if not found or len({hit.platform for hit in found}) > 1:
        return None
    return found[0]


def by_host(frame: pl.DataFrame, index: HostIndex) -> pl.DataFrame:
    """Columns platform, environment, region, host_role and api_path, null where the host tells nothing."""
    distinct = frame["host"].drop_nulls().unique()
    hits = [(host, hit) for host in distinct if (hit := index.find(host)) is not None]
    table = pl.DataFrame(
        {
            "host": [host for host, _ in hits],
            "platform": [hit.platform for _, hit in hits],
            "environment": [hit.environment for _, hit in hits],
            "region": [hit.region for _, hit in hits],
            "host_role": [hit.role for _, hit in hits],
        },
        schema=dict.fromkeys(("host", "platform", "environment", "region", "host_role"), pl.String),
    )
    found = frame.select("host", pl.col("path").alias("api_path")).join(
        table, on="host", how="left", maintain_order="left"
    )
    for pattern, gateway in sorted(index.gateways, key=lambda pair: -len(pair[1].path_prefix)):
        names = [h for h in distinct if pattern.match(h)]
        prefix = gateway.path_prefix.rstrip("/")
        path, platform = pl.col("api_path"), pl.col("platform")
        under = path.fill_null("").str.starts_with(prefix)
        is_it = platform.is_null() & pl.col("host").is_in(names) & under
        found = found.with_columns(
            pl.when(is_it).then(pl.lit(gateway.platform)).otherwise(platform).alias("platform"),
            pl.when(is_it).then(path.str.strip_prefix(prefix)).otherwise(path).alias("api_path"),
        )
    return found.drop("host")
