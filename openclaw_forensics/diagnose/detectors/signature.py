"""Is the signature right? Recomputed with the keys that the user gave: the only proof of a wrong key or a wrong string.

Equal with an older or another key proves the wrong key. Equal with the newest clears the signing: the refusal has
another reason, or the platform holds another key than the one given. Equal with none: the string is built otherwise, or
the key used was not among those given. What was not recorded exactly is not judged.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.findings import Because, Finding, Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.load import fold
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.platforms.signing import Key, Verdict, schemes_for, verify_any
from openclaw_forensics.words import Text, same

Row = dict[str, object]
_MOST = 500  # refused exchanges recomputed per platform
_SHOWN = 600  # characters of a string to sign in a sentence
_KINDS = ("signing_key", "webhook_key", "client_secret")


def detect(question: Question) -> Answer:
    """Recomputes refused calls and callbacks of every platform for which keys were given, or no key is needed."""
    findings: list[Finding] = []
    judged = 0
    for pack in question.knowledge.packs.values():
        keys = keys_for(question, pack)
        if not keys and all(scheme.key != "none" for scheme in pack.schemes):
            continue
        refused: tuple[tuple[Literal["call", "callback"], list[Row], Callable[..., Finding | None]], ...] = (
            ("call", _refused_calls(question, pack), _judge_call),
            ("callback", _refused_callbacks(question, pack), _judge_callback),
        )
        for use, rows, judge in refused:
            checked = [(r, v) for r in rows[:_MOST] if (v := _check(question, pack, use, r, keys)) is not None]
            judged += len(checked)
            for (row, _), same_kind in _groups(checked).items():
                findings += [f for f in [judge(question, pack, row, same_kind)] if f is not None]
    return Answer(findings, judged)


def keys_for(question: Question, pack: Pack) -> list[Key]:
    """The user's keys for this platform; a key's place is its position in the whole file."""
    names = {fold(n) for n in (pack.platform.id, *pack.platform.aliases)}
    return [
        Key(
            place=place, kind=s.kind, value=s.value.get_secret_value(),
            encoding=None if s.encoding == "text" else s.encoding, app=s.app, shop=s.shop, until=s.until,
        )
        for place, s in enumerate(question.knowledge.secrets, 1)
        if fold(s.platform) in names and s.kind in _KINDS
    ]  # fmt: skip


def _refused_calls(question: Question, pack: Pack) -> list[Row]:
    causes = set(question.words("of_causes"))
    claimed = {r for f in question.so_far if f.cause in causes and f.platform == pack.platform.id for r in f.rows}
    return [r for n, r in question.frame.failing.items() if n in claimed and r["direction"] == "out"]


def _refused_callbacks(question: Question, pack: Pack) -> list[Row]:
    """Deliveries that our receiver turned away, but for those that something in front of it did."""
    walled = {r for f in question.so_far if f.cause in ("webhook.blocked", "webhook.redirected") for r in f.rows}
    said = {r for f in question.so_far if f.cause == "webhook.signature_rejected" for r in f.rows}
    return [
        r for n, r in question.frame.failing.items()
        if r["direction"] == "callback" and r["platform"] == pack.platform.id and r["status"] in (400, 401, 403)
        and (n in said or (n not in walled and r["status"] != 400))
    ]  # fmt: skip


def _check(
    question: Question, pack: Pack, use: Literal["call", "callback"], row: Row, keys: Sequence[Key]
) -> Verdict | None:
    """The verdict; also over keys of other apps and shops, because one of those may have been used. None: unknown."""
    operation = None if row["operation"] is None else str(row["operation"])
    message = Message(question.frame.full(_number(row)))
    schemes = schemes_for(pack, use, operation, message)
    if not schemes:
        return None
    own = verify_any(message, schemes, pack.platform.places, keys)
    if own.result == "equal":
        return own
    anyone = [dataclasses.replace(k, app=None, shop=None) for k in keys]
    other = verify_any(message, schemes, pack.platform.places, anyone)
    if other.result == "equal":  # none of the own keys, if there are any, but another one
        return dataclasses.replace(other, tried=(*own.tried, 0))
    return own if own.result == "unequal" else None


def _groups(checked: Sequence[tuple[Row, Verdict]]) -> dict[tuple[int, str], list[tuple[Row, Verdict]]]:
    """Same shop, same result; keyed by the first row of each so that the order is that of the capture."""
    groups: dict[tuple[object, ...], list[tuple[Row, Verdict]]] = defaultdict(list)
    for row, verdict in checked:
        groups[row["shop"], row["identity"], verdict.result, verdict.fits, verdict.mistake].append((row, verdict))
    return {(_number(g[0][0]), g[0][1].result): g for g in groups.values()}


def _is_superseded(question: Question, row: Row, verdict: Verdict) -> bool:
    """Whether the key that fits was not the one to use: another than the first tried, and not good at that time."""
    if verdict.fits is None:
        return False
    until, at = question.knowledge.secrets[verdict.fits - 1].until, row["started_at"]
    still_good = until is not None and isinstance(at, datetime) and at.date() <= until
    return verdict.tried[:1] != (verdict.fits,) and not still_good


def _judge_call(question: Question, pack: Pack, row: int, checked: list[tuple[Row, Verdict]]) -> Finding | None:
    first, verdict = checked[0]
    build = _Build(question, pack, checked)
    if verdict.result == "unequal":
        shown = same((verdict.string_to_sign or "?")[:_SHOWN])
        count = len(verdict.tried)
        unequal = phrase("signature_unequal", count=count) if count else phrase("signature_unequal_keyless")
        steps = [unequal, phrase("signature_string", text=shown)]
        if verdict.mistake is not None:
            steps.insert(0, phrase(f"signature_mistake_{verdict.mistake}"))
            return build.finding("sign.signature_mismatch", "confidence_proven", steps, proof=True)
        others = ("sign.wrong_key",) if count else ()
        return build.finding("sign.signature_mismatch", "confidence_unequal", steps, others)
    if verdict.fits is None:
        return None  # equal without any key: the string is right, and no more is known
    if _is_superseded(question, first, verdict):
        step = phrase("signature_other_key", place=verdict.fits)
        return build.finding("sign.wrong_key", "confidence_proven", [step], proof=True)
    claims = [f for f in question.so_far if row in f.rows and f.cause.startswith("sign.")]
    if not claims:
        return None
    # Built as documented with the newest key: what is left is another key on the platform's side. Not proven.
    sure = max(question.number("confidence_sound"), min(max(c.confidence for c in claims) + 0.01, 0.85))
    step = phrase("signature_sound", place=verdict.fits)
    found = build.finding("sign.wrong_key", "confidence_sound", [step], ("sign.timestamp_skew", "api.platform_defect"))
    return dataclasses.replace(found, confidence=sure, party="undetermined", against=1)


def _judge_callback(question: Question, pack: Pack, row: int, checked: list[tuple[Row, Verdict]]) -> Finding | None:
    """Genuine, and refused all the same; a delivery that no key fits may be forged, so nothing is said of it."""
    _, verdict = checked[0]
    if verdict.result != "equal" or verdict.fits is None:
        return None
    said = any(row in f.rows and f.cause == "webhook.signature_rejected" for f in question.so_far)
    step = phrase("callback_genuine", place=verdict.fits)
    confidence = "confidence_proven" if said else "confidence_callback"
    return _Build(question, pack, checked).finding("webhook.signature_rejected", confidence, [step], proof=said)


@dataclass(frozen=True, slots=True)
class _Build:
    """A finding over refused exchanges with the same verdict."""

    question: Question
    pack: Pack
    checked: list[tuple[Row, Verdict]]

    def finding(
        self, cause: str, confidence: str, steps: list[Text], alternatives: tuple[str, ...] = (), *,
        proof: bool = False,
    ) -> Finding:  # fmt: skip
        first, verdict = self.checked[0]
        numbers = tuple(_number(r) for r, _ in self.checked)
        scheme = next(s for s in self.pack.schemes if s.id == verdict.scheme)
        return Finding(
            rule=self.question.rule.id, cause=cause, confidence=self.question.number(confidence),
            platform=self.pack.platform.id, shop=_text(first["shop"]), identity=_text(first["identity"]), rows=numbers,
            alternatives=alternatives, because=tuple(Because(s, numbers[:3]) for s in steps), proof=proof,
            telling=tuple(Telling(n, "/request/signature", steps[0]) for n in numbers[:3]),
            signs=min(len(numbers), 3), unverified=scheme.unverified,
            sources=tuple(dict.fromkeys([*scheme.source, *self.question.rule.source])),
        )  # fmt: skip


def _number(row: Row) -> int:
    return int(str(row["row"]))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
