"""Direct claims from the error catalogues: each failing call takes its best row, groups take the row's contrasts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openclaw_forensics.diagnose.catalogue import Catalogue, Match
from openclaw_forensics.diagnose.contrasts import Contrasts, Group
from openclaw_forensics.diagnose.findings import Because, Cleared, Finding, Telling
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.model import When
from openclaw_forensics.taxonomy import taxonomy
from openclaw_forensics.words import Text, same

Row = dict[str, Any]
STATUS_ONLY = 1  # the weight of a catalogue row that knows a status and nothing else
_QUOTE = 200  # characters of a message in a sentence


def catalogue_findings(
    failures: Sequence[Row],
    catalogues: Mapping[str, Catalogue],
    everywhere: Catalogue,
    contrasts: Contrasts,
) -> list[Finding]:
    """A finding per (catalogue row, platform, identity), with the contrasts of its group applied."""
    # By the row itself: rows of one code that differ in pattern or tests share a name.
    groups: dict[tuple[int, object, object, object], list[Row]] = {}
    matches: dict[int, Match] = {}
    for row in failures:
        if row["direction"] != "out":
            continue  # the status of a callback is our own receiver's
        match = _match(row, catalogues.get(str(row["platform"])), everywhere)
        if match is not None:
            matches[id(match.entry)] = match
            groups.setdefault((id(match.entry), row["platform"], row["identity"], row["shop"]), []).append(row)
    return [_finding(matches[key[0]], Group(contrasts.frame, rows), contrasts) for key, rows in groups.items()]


def _match(row: Row, own: Catalogue | None, everywhere: Catalogue) -> Match | None:
    unrecognised = row["platform"] is None
    best: Match | None = None
    for candidate in _views(row):
        for catalogue in (own, everywhere):
            if catalogue is None:
                continue
            match = catalogue.find(candidate, specific=unrecognised)
            if match is None:
                continue
            if best is None or _rank(match) > _rank(best) or (match.entry.insistent and _gives_way(best)):
                best = match
    return best


def _rank(match: Match) -> int:
    """Status alone, a general wording, or more than that; of equals the first one found stays."""
    return 0 if match.weight <= STATUS_ONLY else 1 if match.entry.fallback else 2


def _gives_way(match: Match) -> bool:
    """Whether a pack's row knows a code alone, which telling words explain better."""
    entry = match.entry
    return entry.match is None and not entry.tests and (entry.subcode is None or "*" in entry.subcode)


def _views(row: Row) -> Iterable[Row]:
    """The exchange itself, then each item that failed inside it."""
    yield row
    items = row["item_failures"]
    if isinstance(items, list) and row["error_code"] is None:
        for item in items[:20]:
            yield {**row, "error_code": item["code"], "error_message": item["message"]}


def _finding(match: Match, group: Group, contrasts: Contrasts) -> Finding:
    entry, first = match.entry, group.rows[0]
    when = next((w for w in entry.when if contrasts.all_hold(w.contrast, w.unless, group)), None)
    cause = (when and when.cause) or entry.cause
    confidence = entry.confidence if when is None or when.confidence is None else when.confidence
    alternatives = entry.alternatives if when is None or when.alternatives is None else when.alternatives
    party = (when and when.party) or (entry.party if cause == entry.cause else None)
    return Finding(
        rule=match.rule,
        cause=cause,
        confidence=confidence,
        platform=_text(first["platform"]),
        shop=_text(first["shop"]),
        identity=_text(first["identity"]),
        party=party,
        origin=(when and when.origin) or (entry.origin if cause == entry.cause else None),
        rows=tuple(r["row"] for r in group.rows),
        alternatives=tuple(a for a in alternatives if a != cause),
        because=_because(match, group, when, cause, contrasts),
        cleared=_cleared(group),
        telling=tuple(t for r in group.rows[:3] if (t := _telling(r, match))),
        fix=entry.fix if cause == entry.cause else (),
        sources=entry.source,
        unverified=entry.unverified,
        severity="info" if entry.expected else None,
    )


def _because(match: Match, group: Group, when: When | None, cause: str, contrasts: Contrasts) -> tuple[Because, ...]:
    first = group.rows[0]
    rows = (first["row"],)
    steps = [Because(refusal(group.frame, first), rows)]
    why = match.entry.why if match.entry.why is not None and cause == match.entry.cause else None
    if why is not None:
        steps.append(Because(why, rows))
    if when is not None:
        for contrast in when.contrast:
            witness = contrasts.witness(contrast, group)
            steps.append(Because(phrase(contrast), rows if witness is None else (witness,)))
    return tuple(steps)


def refusal(frame: Frame, row: Row) -> Text:
    """What the exchange was answered, in a sentence."""
    operation = operation_name(frame, row)
    message = str(row["error_message"] or row["transport_error_text"] or "")[:_QUOTE]
    if row["status"] is None and row["transport_error"]:
        return phrase("transport", operation=operation, message=message or str(row["transport_error"]))
    codes = [str(c) for c in (row["status"], row["error_code"], row["error_subcode"]) if c is not None]
    code = " ".join(dict.fromkeys(codes))  # some platforms repeat the status as the code
    if message:
        return phrase("refused", operation=operation, code=code, message=message)
    return phrase("refused_plain", operation=operation, code=code)


def operation_name(frame: Frame, row: Row) -> Text:
    """What people call the operation, else the call as it was made."""
    known = frame.operation_names.get((str(row["platform"]), str(row["operation"])))
    if known is not None:
        return known
    name = row["operation"] or " ".join(str(x) for x in (row["method"], row["path"]) if x) or row["client_class"]
    return same(str(name)[:_QUOTE]) if name else phrase("unknown_operation")


def _cleared(group: Group) -> tuple[Cleared, ...]:
    """Parties that the answer itself speaks for: it came, so the way stands."""
    answered = [r["row"] for r in group.rows if r["status"] is not None and r["error_code"] is not None]
    if not answered:
        return ()
    return (Cleared("network", True, phrase("not_network_answered"), tuple(answered[:1])),)


def _telling(row: Row, match: Match) -> Telling | None:
    why = match.entry.title or taxonomy().causes[match.entry.cause].name
    number = row["row"]
    if row["status"] is None:
        return Telling(number, "/transport_error_text", why)
    if row["error_code"] is not None or row["error_message"] is not None:
        return Telling(number, "/response/body", why)
    return Telling(number, "/response/status", why)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
