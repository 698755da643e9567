"""Which side each call reached: lanes of the parties, an arrow per request, an answer or a break."""

from __future__ import annotations

from dataclasses import dataclass

from openclaw_forensics.report.card import Card
from openclaw_forensics.report.view import View
from openclaw_forensics.result import ExchangeView, RootCause

ORDER = ("erp", "network", "platform", "receiver", "carrier")
LIMIT, HEAD, TAIL = 24, 12, 11
LEFT, RIGHT = 190.0, 860.0
TOP, ROW = 56.0, 74.0


@dataclass(frozen=True, slots=True)
class Arrow:
    """One exchange, or a run of equal ones; or, with `omitted`, how many are left out here."""

    y: float
    exchange: ExchangeView | None = None
    number: int = 0
    times: int = 1
    x1: float = 0
    x2: float = 0
    broken: float | None = None
    label: str = ""
    outcome: str = ""
    clock: str = ""
    lanes: tuple[str, str] = ("", "")
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class Lanes:
    """The whole picture."""

    lanes: list[tuple[str, float, str]]  # id, x, name
    arrows: list[Arrow]
    height: float


def lane_name(view: View, lane: str) -> str:
    """A lane's name."""
    say = view.say
    names = {
        "erp": "ERP",
        "network": say("network"),
        "platform": say("platform"),
        "receiver": say("receiver"),
        "carrier": say("carrier"),
    }
    return names.get(lane, lane)


def lanes(view: View, cause: RootCause) -> Lanes | None:
    """The lanes of the exchanges that a cause's evidence names, in the order of time."""
    named = {e.exchange for e in cause.evidence if e.exchange}
    shown = [e for e in view.result.exchanges if e.id in named]
    if not shown:
        return None
    shown.sort(key=lambda e: (e.at is None, e.at.timestamp() if e.at else 0.0, view.numbers[e.id]))
    used = [lane for lane in ORDER if any(lane in (e.path.from_, e.path.to, e.path.broken_at) for e in shown)]
    gap = (RIGHT - LEFT) / max(1, len(used) - 1)
    at = {lane: round(LEFT + n * gap, 1) for n, lane in enumerate(used)}
    runs = _fold(shown)
    if len(runs) > LIMIT:
        left_out = sum(len(r) for r in runs[HEAD:-TAIL])
        runs = [*runs[:HEAD], [], *runs[-TAIL:]]
    else:
        left_out = 0
    arrows = [_arrow(view, run, at, TOP + n * ROW + 30, left_out) for n, run in enumerate(runs)]
    return Lanes([(lane, at[lane], lane_name(view, lane)) for lane in used], arrows, TOP + len(runs) * ROW + 14)


def _same(e: ExchangeView) -> tuple[object, ...]:
    return (e.path.from_, e.path.to, e.path.broken_at, e.method, e.operation, e.status, e.transport_error, e.shop)


def _broken(e: ExchangeView) -> bool:
    """Whether a call went no further: a refusal that the far side itself sent came all the way back."""
    return e.path.broken_at is not None and not (e.status is not None and e.path.broken_at == e.path.to)


def _fold(shown: list[ExchangeView]) -> list[list[ExchangeView]]:
    """Runs of three or more equal exchanges; shorter ones stay single."""
    runs: list[list[ExchangeView]] = []
    for item in shown:
        if runs and _same(runs[-1][0]) == _same(item):
            runs[-1].append(item)
        else:
            runs.append([item])
    return [part for run in runs for part in ([run] if len(run) >= 3 else [[e] for e in run])]


def _arrow(view: View, run: list[ExchangeView], at: dict[str, float], y: float, left_out: int) -> Arrow:
    if not run:
        return Arrow(y, omitted=left_out)
    first = run[0]
    card = Card(first, view.numbers[first.id], view.say, {}, full=False)
    outcome = card.outcome + (f" {first.error_code}" if first.error_code else "")
    return Arrow(
        y,
        first,
        view.numbers[first.id],
        len(run),
        at[first.path.from_],
        at[first.path.to],
        at[first.path.broken_at] if first.path.broken_at and _broken(first) else None,
        f"{first.method or ''} {view.operation(first.operation)}".strip(),
        outcome,
        view.clock(first.at),
        (lane_name(view, first.path.from_), lane_name(view, first.path.to)),
    )
