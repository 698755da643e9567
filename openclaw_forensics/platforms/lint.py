"""Checks packs as their authors wrote them: what does not load, what the lints find, tests and vectors that fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openclaw_forensics.errors import ForensicsError, RuleError
from openclaw_forensics.platforms import digests, parse, places, signing
from openclaw_forensics.platforms.envelope_tests import TestResult, run_envelope_tests
from openclaw_forensics.platforms.lints import LINTS, Hit, Level
from openclaw_forensics.platforms.load import PackSet, fold, load
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.platforms.patterns import Loc
from openclaw_forensics.platforms.rawmessage import row_of
from openclaw_forensics.platforms.reasons import NotComputableError
from openclaw_forensics.platforms.signature_model import Scheme, SchemeVector
from openclaw_forensics.platforms.strings import Build
from openclaw_forensics.taxonomy import Taxonomy, taxonomy

_FILE_OF = {"operations": "operations", "errors": "errors", "schemes": "signature", "deprecations": "deprecations"}
_TABLE_OF = {"operations": "operation", "errors": "error", "schemes": "scheme", "deprecations": "deprecation"}


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One thing to put right, with its file and, where findable, its line."""

    pack: str
    file: str
    line: int | None
    name: str
    level: Level
    what: str
    recommendation: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.level}: {self.name}: {self.what}; {self.recommendation}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much one pack knows."""

    pack: str
    kind: str
    operations: int
    codes: int  # distinct codes and sub-codes
    rows: int  # of the catalogue
    topics: int
    deprecations: int
    schemes: int
    vectors: int
    envelopes: int
    envelope_tests: int
    unverified: int  # rows of the catalogue


def lint(dirs: Sequence[Path]) -> list[LintFinding]:
    """All findings over the packs of `dirs` (the shipped rules first, a user's own after), by file and line."""
    try:
        packs = load(dirs[:1], dirs[1:], use_cache=False)
    except RuleError as error:
        return [_unloadable("?", error)]
    except ForensicsError as error:
        return [LintFinding("?", "", None, "does-not-load", "error", str(error), "correct it")]
    found: list[LintFinding] = []
    for name in sorted({*packs.ids(), *packs.folders}):
        try:
            pack = packs.pack(name)
        except RuleError as error:
            found.append(_unloadable(name, error))
            continue
        found += _lint_pack(pack, packs, taxonomy())
    found += [*_shared_names(packs), *_shared_hosts(packs)]
    return sorted(found, key=lambda f: (f.file, f.line or 0, f.name, f.what))


def coverage(dirs: Sequence[Path]) -> list[Coverage]:
    """What each pack of `dirs` holds, by id. Raises RuleError when a file is wrong."""
    packs = load(dirs[:1], dirs[1:], use_cache=False)
    return [_coverage(packs.pack(name)) for name in (*packs.ids(), parse.COMMON)]


def _coverage(pack: Pack) -> Coverage:
    return Coverage(
        pack=pack.platform.id,
        kind=pack.platform.kind,
        operations=len(pack.operations),
        codes=len({(row.code, row.subcode) for row in pack.errors if row.code is not None}),
        rows=len(pack.errors),
        topics=len(pack.webhooks.topics) if pack.webhooks else 0,
        deprecations=len(pack.deprecations),
        schemes=len(pack.schemes),
        vectors=sum(len(scheme.tests) for scheme in pack.schemes),
        envelopes=len(pack.platform.envelope),
        envelope_tests=sum(len(envelope.test) for envelope in pack.platform.envelope),
        unverified=sum(row.unverified for row in pack.errors),
    )


def _unloadable(pack: str, error: RuleError) -> LintFinding:
    what = str(error).removeprefix(f"{error.path}:{error.line}: ").removeprefix(f"{error.path}: ")
    return LintFinding(pack, error.path, error.line, "does-not-load", "error", what, "correct the file")


def _lint_pack(pack: Pack, packs: PackSet, known: Taxonomy) -> Iterator[LintFinding]:
    locate = _Locator(packs.folders.get(pack.platform.id, ()))
    for each in LINTS:
        for hit in each.check(pack, known):
            yield locate.finding(pack, each.name, each.level, hit, each.recommendation)
    for hit in _wrong_vectors(pack):
        yield locate.finding(pack, "vector", "error", hit, "correct the scheme or the vector")
    results = run_envelope_tests(pack, packs)
    for hit in _wrong_tests(results):
        yield locate.finding(pack, "envelope-test", "error", hit, "correct the envelope or the test")
    for hit in _one_sided(pack, results):
        yield locate.finding(pack, "one-sided-tests", "error", hit, "add the other kind of test")


class _Locator:
    """From a place in a pack to file and line."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)

    def finding(self, pack: Pack, name: str, level: Level, hit: Hit, recommendation: str) -> LintFinding:
        """The finding for `hit`."""
        loc, what = hit
        path, inner = self._file(loc)
        line = self._line(path, inner) if path else None
        return LintFinding(pack.platform.id, path.as_posix() if path else "", line, name, level, what, recommendation)

    def _file(self, loc: Loc) -> tuple[Path | None, list[str | int]]:
        head = str(loc[0]) if loc else "platform"
        rest = list(loc[1:])
        if head in _FILE_OF:
            return self._existing(f"{_FILE_OF[head]}.toml"), [_TABLE_OF[head], *rest]
        if head == "webhooks":
            return self._existing(parse.WEBHOOKS), rest
        return self._existing("common.toml", "platform.toml"), rest

    def _existing(self, *names: str) -> Path | None:
        return next((f / name for f in self.folders for name in names if (f / name).is_file()), None)

    def _line(self, path: Path, loc: list[str | int]) -> int | None:
        # Rows of several folders are one list; a line is only sure where one folder holds them all.
        several = sum((folder / path.name).is_file() for folder in self.folders) > 1
        return None if several else parse.line_of(path.read_text("utf-8"), loc)


def _wrong_vectors(pack: Pack) -> Iterator[Hit]:
    for index, scheme in enumerate(pack.schemes):
        for number, vector in enumerate(scheme.tests):
            problem = check_vector(pack, scheme, vector)
            if problem is not None:
                yield ("schemes", index, "tests", number), f"{scheme.id}: {problem}"


def check_vector(pack: Pack, scheme: Scheme, vector: SchemeVector) -> str | None:
    """Why a vector does not reproduce, None where it does."""
    message, where = Message(row_of(vector.request, vector.response)), pack.platform.places
    if vector.signature is None and vector.string_to_sign is None:
        return "has neither a signature nor a string to sign"
    if places.all_hold(scheme.when, message) is not True:
        return "the scheme's `when` does not hold"
    sent = vector.signature or ""
    try:
        key = signing.key_bytes(signing.Key(1, scheme.key, vector.secret), scheme, sent)
        build = Build(message, scheme, where, key, vector.app)
        string = digests.string_of(build).decode("utf-8", "replace")
        equal = vector.signature is None or digests.is_signature(build, sent)
    except NotComputableError as error:
        return f"not computable, {error}"
    if vector.string_to_sign is not None and string != vector.string_to_sign:
        return f"string to sign is {string!r}"
    if not equal:
        made = "another" if scheme.is_key_pair else digests.signature_of(build, sent)
        return f"signature is {made} over {string!r}"
    return _not_found(message, pack, scheme, vector)


def _not_found(message: Message, pack: Pack, scheme: Scheme, vector: SchemeVector) -> str | None:
    """Why the signature is not read from the vector's request; a request may leave it out."""
    try:
        found = signing.sent_signatures(message, scheme, pack.platform.places)
    except NotComputableError:
        return None
    return None if vector.signature in (None, *found) else f"the request carries {', '.join(found)}"


def _wrong_tests(results: Iterable[TestResult]) -> Iterator[Hit]:
    for result in results:
        for name, (wanted, got) in result.differences.items():
            yield ("platform", "envelope", result.envelope, "test", result.number), f"{name} is {got!r}, not {wanted!r}"


def _one_sided(pack: Pack, results: Iterable[TestResult]) -> Iterator[Hit]:
    failing: dict[int, set[bool]] = {}
    for result in results:
        failing.setdefault(result.envelope, set()).add(result.failed)
    for index, kinds in failing.items():
        if len(kinds) == 1:
            missing = "fine" if True in kinds else "failing"
            yield ("platform", "envelope", index), f"{pack.platform.envelope[index].id} has no {missing} test"


def _shared_names(packs: PackSet) -> Iterator[LintFinding]:
    """Aliases that two packs claim."""
    owners: dict[str, str] = {}
    for platform, head in packs.heads.items():
        for alias in {fold(a) for a in (platform, *head.platform.aliases)}:
            other = owners.setdefault(alias, platform)
            if other != platform:
                yield _across(packs, platform, "shared-alias", "error", f"{alias} is {other}'s as well")


def _shared_hosts(packs: PackSet) -> Iterator[LintFinding]:
    """Hosts that two packs claim alike, so that the host decides nothing."""
    owners: dict[str, str] = {}
    for platform, head in packs.heads.items():
        for pattern in sorted({host.pattern.lower() for host in head.platform.hosts}):
            other = owners.setdefault(pattern, platform)
            if other != platform:
                yield _across(packs, platform, "shared-host", "warning", f"{pattern} is {other}'s as well")


def _across(packs: PackSet, platform: str, name: str, level: Level, what: str) -> LintFinding:
    folders: Mapping[str, tuple[Path, ...]] = packs.folders
    file = next(((f / "platform.toml").as_posix() for f in folders[platform]), "")
    return LintFinding(platform, file, None, name, level, what, "leave it to one of the two")
