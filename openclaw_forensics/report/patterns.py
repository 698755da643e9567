"""The sentence of one root cause: one pattern per situation, chosen by what the evidence allows to say.

Never over-claimed: a cause is named as the cause only from 0.80 on, an undetermined party is never called to act, and
"since" is bracketed by what the capture holds. A headline has room for 60 Han characters or 35 English words; longer
ones are said with shorter words before anything is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openclaw_forensics.report import times
from openclaw_forensics.report.catalogue import Lang
from openclaw_forensics.report.slots import Slots, band
from openclaw_forensics.result import Input, Labels, RootCause
from openclaw_forensics.words import Text

_HAN = re.compile(r"[\u3400-\u9fff]")
_ACK_CAUSES = ("webhook.non_2xx", "webhook.slow_ack", "webhook.bad_ack_body", "webhook.redirected")
_CONTRACT_CAUSES = ("schema.response_contract_broken", "api.platform_defect")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a sentence can say beside cause, number and time. All optional: a pattern says less without it."""

    code: str | None = None  # the error code that is the only sign
    missing: Text | None = None  # what was not recorded and would decide the party
    check: Text | None = None  # what tells the causes apart, as an imperative
    rules_version: str | None = None  # named where no announcement is known

    @classmethod
    def of(cls, cause: RootCause) -> Hints:
        """What the root cause itself carries of these."""
        told = cause.confirm
        return cls(code=told.code, missing=told.missing, check=told.steps[0] if told.steps else None)


def _size(sentence: str, lang: Lang) -> int:
    return len(_HAN.findall(sentence)) if lang == "zh" else len(sentence.split())


def sentence(cause: RootCause, labels: Labels, of: Input, hints: Hints, lang: Lang) -> str:
    """The fullest wording that fits a headline, else the fullest that is a quarter too long, else the shortest."""
    room = 60 if lang == "zh" else 35
    said = [_sentence(Slots(cause, labels, of, lang, short=short), hints) for short in range(4)]
    sizes = [_size(text, lang) for text in said]
    fitting = [text for limit in (room, room * 5 // 4) for text, size in zip(said, sizes, strict=True) if size <= limit]
    chosen = fitting[0] if fitting else said[-1]
    return chosen[:1].upper() + chosen[1:]


def _sentence(s: Slots, hints: Hints) -> str:  # noqa: PLR0911 - one line per pattern
    cause, level = s.cause, band(s.cause.confidence)
    if cause.cause == "api.deprecation_ahead" and not cause.failures:
        return _ahead(s)
    if level == "lead":
        return _lead(s, hints)
    if cause.party == "undetermined":
        return _undetermined(s, hints)
    if level == "possible":
        return _possible(s, hints)
    if cause.recovered_at is not None and not cause.ongoing:
        return _recovered(s)
    if level == "likely":
        return _likely(s, hints)
    if cause.cause in _ACK_CAUSES and cause.attempts:
        return _callback(s)
    if cause.party == "platform" and cause.cause in _CONTRACT_CAUSES:
        return _platform_breach(s)
    if cause.change is not None and cause.origin == "platform_change" and cause.party == "erp":
        return _not_followed(s, hints)
    return _certain(s) if level == "certain" else _very_likely(s)


def _base(s: Slots) -> dict[str, Any]:
    return {"since": s.since(), "event": s.event(), "because": s.because(), "party": s.party()}


def _certain(s: Slots) -> str:
    if s.cause.confidence_basis.proof:
        head = s.say("{since}, {event}; proven cause: {cause}.", **_base(s), cause=s.cause_words())
    else:
        head = s.say("{since}, {event} {because}.", **_base(s))
    return _and(s, head, _order(s))


def _very_likely(s: Slots) -> str:
    head = s.say("{since}, {event}, very likely {because}.", **_base(s))
    step = s.step()
    if step:
        return _and(s, head, s.say("{party} should first {step}.", party=s.party(), step=step))
    return _and(s, head, s.say("{party} should look at this first.", party=s.party()))


def _order(s: Slots) -> str:
    if step := s.step():
        return s.say("{party} needs to act: {step}.", party=s.party(), step=step)
    return s.say("{party} needs to act.", party=s.party())


def _and(s: Slots, *sentences: str) -> str:
    """Sentences one after the other; English begins each with a capital."""
    if s.lang == "zh":
        return "".join(sentences)
    return " ".join(part[:1].upper() + part[1:] for part in sentences if part)


def _others(s: Slots) -> list[str]:
    names = [s.name_of(a.cause) for a in s.cause.alternatives if a.cause != s.cause.cause]
    return list(dict.fromkeys(names))


def _check(s: Slots, hints: Hints) -> str:
    if check := s.sub(hints.check):
        return s.say("The first to check is {party}: {check}.", party=s.party(), check=check)
    return s.say("The first to check is {party}.", party=s.party())


def _likely(s: Slots, hints: Hints) -> str:
    name, others = s.name_of(s.cause.cause), _others(s)
    if others:
        head = s.say(
            "{since}, {event}; the likelier cause is: {name}; not ruled out: {other}.",
            **_base(s),
            name=name,
            other=others[0],
        )
    else:
        head = s.say(
            "{since}, {event}; the likelier cause is: {name}; others are not ruled out.", **_base(s), name=name
        )
    return _and(s, head, _check(s, hints))


def _possible(s: Slots, hints: Hints) -> str:
    causes = ("；" if s.lang == "zh" else "; ").join([s.name_of(s.cause.cause), *_others(s)])
    head = s.say("{since}, {event}.", **_base(s))
    if hints.code:
        sign = s.say("The only sign, {code}, stands for several causes: {causes}.", code=hints.code, causes=causes)
    else:
        sign = s.say("Possible causes: {causes}.", causes=causes)
    check = s.sub(hints.check)
    return _and(s, head, sign, s.say("To tell them apart, {check}.", check=check) if check else "")


def _lead(s: Slots, hints: Hints) -> str:
    head = s.say("{since}, {event}.", **_base(s))
    check = s.sub(hints.check)
    tail = s.say("The signs in this capture are too weak to name a cause.")
    return _and(s, head, tail, s.say("To find it, {check}.", check=check) if check else "")


def _hedge(s: Slots) -> str:
    match band(s.cause.confidence):
        case "certain":
            return s.because()
        case "very_likely":
            return s.say("very likely {because}", because=s.because())
        case "likely":
            return s.say("the likelier cause: {name}", name=s.name_of(s.cause.cause))
        case _:
            return s.say("possibly {because}", because=s.because())


def _undetermined(s: Slots, hints: Hints) -> str:
    head = s.say("{since}, {event} ({hedge}).", **_base(s), hedge=_hedge(s))
    if missing := s.sub(hints.missing):
        tail = s.say("The capture does not decide who must act: it lacks {missing}.", missing=missing)
        return _and(s, head, tail, s.say("Record that and analyse again."))
    tail = s.say("The capture does not decide who must act.")
    check = s.sub(hints.check)
    return _and(s, head, tail, s.say("To decide it, {check}.", check=check) if check else "")


def _recovered(s: Slots) -> str:
    cause = s.cause
    first, last = cause.first_at or cause.last_at, cause.last_at or cause.first_at
    if first is not None and last is not None and cause.recovered_at is not None:
        head = s.say(
            "between {first} and {last}, {event}, {hedge}.",
            first=s.at(first),
            last=s.at_again(last, first),
            event=s.event(),
            hedge=_hedge(s),
        )
        again = s.at_again(cause.recovered_at, first)
    else:
        head = s.say("{since}, {event}, {hedge}.", **_base(s), hedge=_hedge(s))
        again = s.at(cause.recovered_at) if cause.recovered_at else ""
    step = s.step()
    prevent = s.say("To prevent a repeat, {party} needs to {step}.", party=s.party(), step=step) if step else ""
    return _and(s, head, _back(s, again), prevent)


def _back(s: Slots, again: str) -> str:
    if s.cause.recovered_by == "client":
        return s.say("The calls succeed again since {again} (the client's own retries).", again=again)
    if s.cause.recovered_by == "change":
        return s.say("The calls succeed again since {again} (after a change).", again=again)
    return s.say("The calls succeed again since {again}.", again=again)


def _not_followed(s: Slots, hints: Hints) -> str:
    change = s.cause.change
    if change is None:
        return _certain(s)
    slots: dict[str, Any] = {"platform": s.platform(), "what": s.sub(change.what), "effective": change.effective_at}
    if change.announced_at:
        news = s.say("announced {announced}", announced=change.announced_at)
    elif hints.rules_version:
        news = s.say("no announcement found, knowledge base {version}", version=hints.rules_version)
    else:
        news = s.say("no announcement found")
    if change.effective_at:
        head = s.say("{platform}: {what}, in force since {effective} ({news}).", **slots, news=news)
    else:
        head = s.say("{platform}: {what} ({news}).", **slots, news=news)
    sure = band(s.cause.confidence) == "certain"
    still = s.say("{since}, {event}; the ERP still calls the old way.", **_base(s))
    if not sure:
        still = s.say("{since}, {event}, very likely because the ERP still calls the old way.", **_base(s))
    step = s.step()
    whose = (
        s.say("The change is the platform's, the adaptation the ERP's: {step}.", step=step)
        if step
        else s.say("The change is the platform's, the adaptation the ERP's.")
    )
    return _and(s, head, still, whose)


def _platform_breach(s: Slots) -> str:
    where = s.sub(s.cause.reasoning[0].text) if s.cause.reasoning and s.short < 2 else s.name_of(s.cause.cause)
    slots = {"since": s.since(), "event": s.event(), "where": where}
    if band(s.cause.confidence) == "certain":
        head = s.say("{since}, {event}: the answers do not match what the platform publishes ({where}).", **slots)
    else:
        head = s.say(
            "{since}, {event}: the answers very likely do not match what the platform publishes ({where}).", **slots
        )
    return _and(s, head, s.say("Raise a ticket with the text below."))


def _callback(s: Slots) -> str:
    main = max(s.cause.attempts, key=lambda a: a.failed)
    slots = {
        "where": s.where(),
        "what": s.callback_event(),
        "m": main.all,
        "n": main.failed,
        "since": s.since(),
        "hedge": _hedge(s),
    }
    head = s.say(
        "{since}, {where} pushed {m} events ({what}); our receiver did not acknowledge {n} as required ({hedge}).",
        **slots,
    )
    return _and(s, head, _order(s))


def _day(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _ahead(s: Slots) -> str:
    change = s.cause.change
    thing = s.sub(change.what) if change else s.operation(next(iter(s.cause.operations), None))
    ends = _day(change.effective_at if change else None)
    slots = {"thing": thing, "party": s.party(), "date": change.effective_at if change else None}
    if ends is None or s.of.last_at is None:
        head = s.say("An end is announced for: {thing}.", **slots)
    else:
        days = (ends.date() - times.local(s.of.last_at, s.of.timezone.name).date()).days
        head = s.say.plural(
            "Announced end on {date}, {n} day after this capture: {thing}.",
            "Announced end on {date}, {n} days after this capture: {thing}.",
            days,
            **slots,
        )
    step = s.step()
    return _and(
        s,
        s.say("No failure yet."),
        head,
        s.say("{party} needs to act in time: {step}.", party=s.party(), step=step) if step else "",
    )
