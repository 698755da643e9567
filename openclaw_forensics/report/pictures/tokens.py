"""The life of each token as a bar, with its accepted and refused uses."""

from __future__ import annotations

from dataclasses import dataclass

from openclaw_forensics.report.pictures.axis import Axis
from openclaw_forensics.result import RootCause, TokenLife, TokenUse

LIMIT, USES = 12, 60
LEFT, RIGHT = 214.0, 924.0
TOP, ROW = 16.0, 48.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One token. `end` tells how its end is known: solid, ragged or arrow."""

    token: TokenLife
    y: float
    x1: float
    x2: float
    end: str
    uses: list[tuple[float, bool]]
    accepted: int
    refused: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """The whole picture."""

    axis: Axis
    bars: list[Bar]
    more: int
    height: float


def tokens(cause: RootCause) -> Tokens | None:
    """The bars of a cause's tokens, refused ones first; None where nothing about them is dated."""
    lives = list(cause.details.tokens or ())
    dates = [
        t for life in lives for t in (life.issued_at, life.expires_at, *(u.at for u in life.uses)) if t is not None
    ]
    if not dates:
        return None
    lives.sort(key=lambda life: not any(not use.ok for use in life.uses))
    axis = Axis(min(dates), max(dates), LEFT, RIGHT)
    bars = [_bar(life, axis, TOP + n * ROW + ROW / 2) for n, life in enumerate(lives[:LIMIT])]
    return Tokens(axis, bars, max(0, len(lives) - LIMIT), TOP + len(bars) * ROW + 40)


def _thin(uses: list[TokenUse]) -> list[TokenUse]:
    if len(uses) <= USES:
        return uses
    return [uses[i * len(uses) // USES] for i in range(USES)]


def _bar(life: TokenLife, axis: Axis, y: float) -> Bar:
    dated = [u for u in life.uses if u.at is not None]
    starts = life.issued_at or min((u.at for u in dated if u.at), default=axis.start)
    end = "arrow" if life.expires_at is None else "solid" if life.basis == "issued" else "ragged"
    uses = [(axis.x(u.at), u.ok) for u in _thin(dated) if u.at]
    accepted = sum(u.ok for u in life.uses)
    x2 = axis.x(life.expires_at) if life.expires_at else RIGHT
    return Bar(life, y, axis.x(starts), max(axis.x(starts) + 4, x2), end, uses, accepted, len(life.uses) - accepted)
