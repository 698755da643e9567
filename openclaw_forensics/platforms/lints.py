"""The single lints: what may be wrong with a pack that loads. Each names itself, its level and what to do.

A check yields `(location, what)` pairs; the location is a path of table names and indices within the pack.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import BaseModel

from openclaw_forensics.platforms import places
from openclaw_forensics.platforms.candidates import is_cheap
from openclaw_forensics.platforms.facts import Sourced
from openclaw_forensics.platforms.model import ErrorRow, Pack, When
from openclaw_forensics.platforms.patterns import Loc, is_slow, patterns
from openclaw_forensics.taxonomy import Taxonomy
from openclaw_forensics.words import Text

Level = Literal["error", "warning"]
Hit = tuple[Loc, str]
UNVERIFIED_AT_MOST = 0.6  # confidence of a row that one weak source supports


@dataclass(frozen=True, slots=True)
class Lint:
    """One thing to look for."""

    name: str
    level: Level
    recommendation: str  # in the imperative
    check: Callable[[Pack, Taxonomy], Iterator[Hit]]


def _models(part: BaseModel, loc: Loc = ()) -> Iterator[tuple[Loc, BaseModel]]:
    """`part` and every model within it, outermost first."""
    yield loc, part
    for name in type(part).model_fields:
        value = getattr(part, name)
        for index, item in enumerate(value) if isinstance(value, tuple) else ((None, value),):
            if isinstance(item, BaseModel):
                yield from _models(item, (*loc, name) if index is None else (*loc, name, index))


def _ids(row: ErrorRow) -> Iterator[tuple[str, str]]:
    """(kind, id) of everything a row names in the taxonomy."""
    parts: tuple[ErrorRow | When, ...] = (row, *row.when)
    for part in parts:
        yield from (("cause", c) for c in (part.cause, *(part.alternatives or ())) if c is not None)
        yield from (("party", p) for p in (part.party,) if p is not None)
        yield from (("origin", o) for o in (part.origin,) if o is not None)
    yield from (("party", step.party) for step in row.fix)


def unknown_ids(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Causes, parties and origins that the taxonomy does not have."""
    known: dict[str, Container[str]] = {"cause": taxonomy.causes, "party": taxonomy.parties, "origin": taxonomy.origins}
    for index, row in enumerate(pack.errors):
        yield from ((("errors", index), f"{kind} {name}") for kind, name in _ids(row) if name not in known[kind])
    for index, step in enumerate(pack.webhooks.registration if pack.webhooks else ()):
        if step.party not in taxonomy.parties:
            yield ("webhooks", "registration", index), f"party {step.party}"


def unknown_operations(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Operation ids and globs that fit no operation of the pack."""
    del taxonomy
    ids = [operation.id for operation in pack.operations]
    named: list[tuple[Loc, str]] = []
    named += [(("errors", i), row.operation) for i, row in enumerate(pack.errors) if row.operation]
    named += [(("platform", "envelope", i), g) for i, e in enumerate(pack.platform.envelope) for g in e.operations]
    named += [(("schemes", i), g) for i, s in enumerate(pack.schemes) for g in s.operations]
    named += [(("deprecations", i), g) for i, d in enumerate(pack.deprecations) for g in d.operations]
    for loc, glob in named:
        if not any(fnmatchcase(name, glob) for name in ids) and not fnmatchcase("webhook", glob.partition(".")[0]):
            yield loc, glob


def without_source(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Facts that say neither themselves nor through what holds them where they come from and when that was read."""
    del taxonomy
    covered: set[Loc] = set()
    for loc, part in _models(pack):
        if not isinstance(part, Sourced) or part == type(part).model_construct():
            continue
        if any(loc[:length] in covered for length in range(1, len(loc))):
            continue
        if (part.source or part.unverified) and part.checked:
            if loc != ("platform",):  # a pack's own source says nothing of its parts
                covered.add(loc)
        else:
            yield loc, "no source" if not part.source and not part.unverified else "no date checked"


def odd_sources(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Sources that are no https address."""
    del taxonomy
    for loc, part in _models(pack):
        if isinstance(part, Sourced):
            yield from ((loc, source) for source in part.source if not source.startswith("https://"))


def unverified_alone(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Unverified rows that would decide a verdict by themselves."""
    del taxonomy
    for index, row in enumerate(pack.errors):
        strongest = max([row.confidence, *(w.confidence or 0 for w in row.when)])
        if row.unverified and strongest > UNVERIFIED_AT_MOST:
            yield ("errors", index), f"confidence {strongest}"


def catch_alls(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Catalogue rows without any key."""
    del taxonomy
    for index, row in enumerate(pack.errors):
        keys = (row.code, row.subcode, row.status, row.match, row.operation, row.step)
        if all(key is None for key in keys) and not row.tests:
            yield ("errors", index), row.cause


def twins(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Rows and operations that say the same twice."""
    del taxonomy
    rows = [(r.code, r.subcode, r.status, r.match, r.operation, r.step, r.tests) for r in pack.errors]
    ids = [operation.id for operation in pack.operations]
    for part, keys in (("errors", rows), ("operations", ids)):
        counted = Counter(keys)
        seen: set[Any] = set()
        for index, key in enumerate(keys):
            if counted[key] > 1 and key in seen:
                yield (part, index), str(key if isinstance(key, str) else [k for k in key if k])
            seen.add(key)


def hidden_operations(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Operations that no request can be told to be: nothing to match by, or another with the very same marks."""
    del taxonomy
    seen: dict[Any, str] = {}
    for index, op in enumerate(pack.operations):
        if op.path is None and op.parameter is None and not op.aliases:
            yield ("operations", index), f"{op.id}: neither path, parameter nor alias"
            continue
        key = (op.method, re.sub(r"\{[^}]*\}", "{}", op.path or ""), op.host, op.parameter, op.when)
        if key in seen and (op.path or op.parameter):
            yield ("operations", index), f"{op.id} looks like {seen[key]}"
        seen.setdefault(key, op.id)


def hidden_envelopes(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Envelopes behind one that fits everything. In common all are tried, so none is hidden."""
    del taxonomy
    if pack.platform.kind == "common":
        return
    open_one: str | None = None
    for index, envelope in enumerate(pack.platform.envelope):
        if open_one is not None:
            yield ("platform", "envelope", index), f"{envelope.id} after {open_one}"
        elif not (envelope.path or envelope.host or envelope.operations or envelope.when):
            open_one = envelope.id


def costly_envelopes(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Failure tests that no text pattern can stand for, so that every healthy body is parsed."""
    del taxonomy
    for index, envelope in enumerate(pack.platform.envelope):
        for group in envelope.failed_when:
            if not any(is_cheap(test) for test in (*group, *envelope.when)):
                yield ("platform", "envelope", index), envelope.id


def slow_patterns(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Patterns with a repetition inside a repetition, which a hostile text can make slow."""
    del taxonomy
    yield from ((loc, pattern) for loc, pattern in patterns(pack) if is_slow(pattern))


def lonely_packs(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Packs that nothing can be recognised as."""
    del taxonomy
    if pack.platform.kind != "common" and not pack.platform.hosts and not pack.platform.recognise:
        yield ("platform",), "neither hosts nor recognise"


def odd_hosts(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Host globs that match too much, or nothing."""
    del taxonomy
    for index, host in enumerate(pack.platform.hosts):
        name = host.pattern
        if name != name.lower() or "/" in name or ":" in name or not re.search(r"[a-z0-9-]{2,}\.?", name.lstrip("*.")):
            yield ("platform", "hosts", index), name


def unordered_dates(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Endings that come before their announcement."""
    del taxonomy
    for index, end in enumerate(pack.deprecations):
        if end.announced_at and end.effective_at and end.effective_at < end.announced_at:
            yield ("deprecations", index), end.id


def unplaced_signatures(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Schemes that do not say where the signature sits."""
    del taxonomy
    for index, scheme in enumerate(pack.schemes):
        if not scheme.placed and not (scheme.use == "call" and pack.platform.places.signature):
            yield ("schemes", index), scheme.id


def bare_schemes(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Schemes without a test vector."""
    del taxonomy
    for index, scheme in enumerate(pack.schemes):
        if not scheme.tests:
            yield ("schemes", index), f"{scheme.id} has no test vector, so nothing shows that it is computed rightly"


def lost_variants(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Variants of a scheme that is not there, is a variant itself, or serves another use."""
    del taxonomy
    uses = {scheme.id: scheme.use for scheme in pack.schemes if scheme.variant_of is None}
    for index, scheme in enumerate(pack.schemes):
        if scheme.variant_of is not None and uses.get(scheme.variant_of) != scheme.use:
            yield ("schemes", index), f"{scheme.id} is a variant of {scheme.variant_of}"


def shown_secrets(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Parameters, headers and fields that carry a credential and are not among the names to hide."""
    del taxonomy
    p, issued = pack.platform.places, pack.platform.issued
    hidden = {_folded(name) for name in pack.platform.secret_names} | {"authorization"}
    for place in (*p.token, *p.refresh_token, *p.signature, *issued.access_token, *issued.refresh_token):
        parsed = places.parse(place)
        if parsed.kind in ("query", "form", "param", "header", "json"):
            name = parsed.argument.rsplit("/", 1)[-1]
            if _folded(name) not in hidden:
                yield ("platform", "secret_names"), name


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def blank_words(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Texts that are empty in one language."""
    del taxonomy
    for loc, part in _models(pack):
        if isinstance(part, Text) and not (part.en.strip() and part.zh.strip()):
            yield loc, part.en or part.zh


def untold_grants(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Operations that issue tokens in a pack that does not say where an answer carries them."""
    del taxonomy
    if not pack.platform.issued.access_token:
        yield from (
            (("operations", i), op.id)
            for i, op in enumerate(pack.operations)
            if op.grant in ("refresh_token", "authorization_code")
        )


def untested_envelopes(pack: Pack, taxonomy: Taxonomy) -> Iterator[Hit]:
    """Envelopes without any test; what the tests show is judged by `lint`."""
    del taxonomy
    for index, envelope in enumerate(pack.platform.envelope):
        if not envelope.test:
            yield ("platform", "envelope", index), envelope.id


LINTS: tuple[Lint, ...] = (
    Lint("unknown-id", "error", "name a cause, party or origin of rules/taxonomy.toml", unknown_ids),
    Lint("unknown-operation", "error", "name an operation of the pack, or a glob that fits one", unknown_operations),
    Lint("no-source", "error", "say where the fact is published and when that was read", without_source),
    Lint("odd-source", "warning", "give an https address", odd_sources),
    Lint("unverified-alone", "warning", "lower the confidence to 0.6 or find another source", unverified_alone),
    Lint("catch-all", "error", "give the row a code, status, pattern or test", catch_alls),
    Lint("twin", "error", "remove one of the two, or tell them apart", twins),
    Lint("hidden-operation", "warning", "give the operation a mark of its own, or remove it", hidden_operations),
    Lint("hidden-envelope", "error", "move the envelope that fits everything to the end", hidden_envelopes),
    Lint("costly-envelope", "warning", "add a test on a body field or text", costly_envelopes),
    Lint("slow-pattern", "error", "write the pattern without a repetition inside a repetition", slow_patterns),
    Lint("lonely-pack", "error", "give the pack hosts, or signatures under recognise", lonely_packs),
    Lint("odd-host", "error", "write a lower-case host glob with a name of its own", odd_hosts),
    Lint("unordered-dates", "error", "correct announced_at or effective_at", unordered_dates),
    Lint("unplaced-signature", "error", "say under placed where the signature sits", unplaced_signatures),
    Lint("bare-scheme", "warning", "add a public vector; where none is published, leave it and say so", bare_schemes),
    Lint("lost-variant", "error", "name a scheme of the pack with the same use that is no variant", lost_variants),
    Lint("shown-secret", "warning", "add the name to secret_names", shown_secrets),
    Lint("blank-words", "error", "write the text in both languages", blank_words),
    Lint("untold-grant", "error", "say under issued where a token answer carries its tokens", untold_grants),
    Lint("untested-envelope", "error", "add a failing and a fine test", untested_envelopes),
)  # fmt: skip
