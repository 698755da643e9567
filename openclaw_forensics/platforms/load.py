"""Finds packs, knows them all by their heads, and parses the rest of a pack only when it is needed.

A folder with a platform.toml under the shipped rules or a user's own rules is a pack; `common/` is what holds anywhere
and no platform. A user's folder named like a shipped pack extends it: its rows come first, and its platform.toml, if it
has one, replaces the shipped head. A user's gateway.toml says that an own gateway's host speaks a platform's API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from openclaw_forensics.errors import RuleError, UsageError
from openclaw_forensics.platforms import cache, parse
from openclaw_forensics.platforms.model import Deprecation, ErrorRow, Operation, Pack, Platform, Webhooks
from openclaw_forensics.platforms.signature_model import Scheme
from openclaw_forensics.words import Text

Made = TypeVar("Made")

_KINDS: dict[str, type[BaseModel]] = {
    "operations": Operation,
    "errors": ErrorRow,
    "schemes": Scheme,
    "deprecations": Deprecation,
}
_NO_COMMON = Platform(id=parse.COMMON, kind="common", name=Text(en="HTTP in general", zh="通用 HTTP"))


class Gateway(BaseModel):
    """An own gateway whose host speaks a platform's API."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str  # glob over the lower-case name
    path_prefix: str = ""  # stands before the platform's own path
    platform: str  # id or alias


@dataclass(frozen=True, slots=True)
class Head:
    """What recognition needs of a pack."""

    platform: Platform
    webhooks: Webhooks | None = None


@dataclass(slots=True)
class PackSet:
    """All packs: heads at once, the whole pack on demand."""

    heads: dict[str, Head]  # marketplaces, carriers and ERPs by id, sorted
    folders: dict[str, tuple[Path, ...]]  # of each pack and of common, the user's first
    gateways: tuple[Gateway, ...] = ()
    use_cache: bool = True
    _packs: dict[str, Pack] = field(default_factory=dict)
    _compiled: dict[tuple[str, str], object] = field(default_factory=dict, init=False, repr=False)

    def ids(self) -> tuple[str, ...]:
        """All platform ids, sorted."""
        return tuple(self.heads)

    def pack(self, platform: str) -> Pack:
        """The whole pack (`common` included). Raises RuleError when a file of it is wrong, KeyError for no pack."""
        if platform not in self._packs:
            self._packs[platform] = _read_pack(self.folders.get(platform, ()), platform, self)
        return self._packs[platform]

    @property
    def common(self) -> Pack:
        """What is true of HTTP anywhere."""
        return self.pack(parse.COMMON)

    def once(self, kind: type[Made], platform: str, make: Callable[[], Made]) -> Made:
        """What is made of a pack (or of all, `platform` "") and kept for the next frame."""
        key = (kind.__name__, platform)
        if key not in self._compiled:
            self._compiled[key] = make()
        return cast("Made", self._compiled[key])

    def names(self) -> dict[str, str]:
        """Every id and alias, folded, with the id it stands for."""
        found: dict[str, str] = {}
        for platform, head in self.heads.items():
            for alias in (*head.platform.aliases, platform):
                found.setdefault(fold(alias), platform)
        return found | {fold(platform): platform for platform in self.heads}

    def titles(self) -> dict[str, str]:
        """The names that people know platforms by, folded, with their ids; a name of two platforms is left out."""
        found: dict[str, set[str]] = {}
        for platform, head in self.heads.items():
            for title in (head.platform.name.en, head.platform.name.zh):
                found.setdefault(fold(title), set()).add(platform)
        return {title: ids.pop() for title, ids in found.items() if len(ids) == 1}

    def resolve(self, name: str) -> str:
        """The id that `name` means: an id or alias, `-` and `_` equal, case ignored.

        Raises UsageError with the nearest ids.
        """
        names = self.names()
        if (found := names.get(fold(name))) is not None:
            return found
        from rapidfuzz import process

        near = process.extract(fold(name), sorted(names), limit=6, score_cutoff=45)
        ids = list(dict.fromkeys(names[match] for match, _, _ in near))[:3]
        hint = f"nearest: {', '.join(ids)}" if ids else f"known: {', '.join(self.ids())}"
        raise UsageError(f"unknown platform {name!r}; {hint}")

    def with_pack(self, pack: Pack) -> PackSet:
        """This set with `pack` in place, for tests of a pack that lies in no folder."""
        heads = dict(self.heads)
        if pack.platform.id != parse.COMMON:
            heads[pack.platform.id] = Head(pack.platform, pack.webhooks)
        packs = {**self._packs, pack.platform.id: pack}
        return PackSet(dict(sorted(heads.items())), self.folders, self.gateways, self.use_cache, packs)


def fold(name: str) -> str:
    """An id or alias as it is compared."""
    return name.strip().casefold().replace("-", "_").replace(" ", "_")


def load(dirs: Sequence[Path] | None = None, extra: Sequence[Path] = (), *, use_cache: bool = True) -> PackSet:
    """All packs under `dirs` (default: the shipped rules) and under the user's `extra` folders, which come first.

    Raises RuleError when a head, webhook or gateway file is wrong, UsageError when a folder does not exist.
    """
    if dirs is None:
        from openclaw_forensics.resources import rules_dir

        dirs = [rules_dir()]
    for folder in extra:
        if not folder.is_dir():
            raise UsageError(f"{folder.as_posix()}: no such folder of rules")
    roots = [*extra, *dirs]
    folders = _folders(roots)
    heads = _heads(folders, use_cache)
    gateways = _gateways(roots)
    packs = PackSet(dict(sorted(heads.items())), folders, (), use_cache)
    packs.gateways = tuple(g.model_copy(update={"platform": packs.resolve(g.platform)}) for g in gateways)
    return packs


def _folders(roots: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    found: dict[str, list[Path]] = {}
    for root in roots:
        for folder in sorted(p for p in root.iterdir() if p.is_dir()):
            found.setdefault(folder.name, []).append(folder)
    headed = {name for name, where in found.items() if any((f / "platform.toml").is_file() for f in where)}
    return {name: tuple(found[name]) for name in sorted(found) if name in headed or name == parse.COMMON}


def _head_file(folders: Iterable[Path], name: str) -> Path | None:
    file = "common.toml" if name == parse.COMMON else "platform.toml"
    return next((folder / file for folder in folders if (folder / file).is_file()), None)


def _heads(folders: dict[str, tuple[Path, ...]], use_cache: bool) -> dict[str, Head]:
    files: list[tuple[str, Path, Path | None]] = []
    for name, where in folders.items():
        head = _head_file(where, name)
        if head is None or name == parse.COMMON:
            continue
        hooks = next((f / parse.WEBHOOKS for f in where if (f / parse.WEBHOOKS).is_file()), None)
        files.append((name, head, hooks))
    contents = [(parse.read_bytes(head), parse.read_bytes(hooks) if hooks else b"") for _, head, hooks in files]
    entry_name = cache.key_of("heads", [part for pair in contents for part in pair])
    if use_cache and (heads := _stored_heads(cache.load(entry_name))) is not None:
        return heads
    heads = {}
    for (name, path, hooks_path), (head_bytes, hook_bytes) in zip(files, contents, strict=True):
        platform = parse.parse_head(path, head_bytes)
        if platform.id != name:
            raise RuleError(path.as_posix(), f"id is {platform.id!r}; it must be the folder's name, {name!r}")
        heads[name] = Head(platform, _webhooks(hooks_path, hook_bytes) if hooks_path else None)
    if use_cache:
        cache.store(entry_name, {k: [_plain(h.platform), _plain(h.webhooks)] for k, h in heads.items()})
    return heads


def _gateways(roots: Iterable[Path]) -> tuple[Gateway, ...]:
    found: list[Gateway] = []
    for path in (root / "gateway.toml" for root in roots):
        if path.is_file():
            found += parse.parse_list(Gateway, path, parse.read_bytes(path), "gateway")
    return tuple(found)


def _webhooks(path: Path, content: bytes) -> Webhooks:
    return parse.validate(Webhooks, parse.table_of(path, content), path, content.decode("utf-8"))


def _plain(part: BaseModel | None) -> Any:
    return None if part is None else part.model_dump(mode="json", exclude_defaults=True)


def _stored_heads(entry: object) -> dict[str, Head] | None:
    if not isinstance(entry, dict):
        return None
    try:
        return {
            name: Head(Platform.model_validate(head), None if hooks is None else Webhooks.model_validate(hooks))
            for name, (head, hooks) in entry.items()
        }
    except (ValidationError, TypeError, ValueError):
        return None


def _read_pack(where: tuple[Path, ...], name: str, packs: PackSet) -> Pack:
    if name == parse.COMMON:
        path = _head_file(where, name)
        if path is None:
            return Pack(platform=_NO_COMMON)
    elif name not in packs.heads:
        raise KeyError(name)
    files = [folder / file for folder in where for file in (*parse.HEADS, *parse.LISTS, parse.WEBHOOKS)]
    files = [file for file in files if file.is_file()]
    contents = {file: parse.read_bytes(file) for file in files}
    parts = [part for file, data in contents.items() for part in (file.name.encode(), data)]
    entry_name = cache.key_of(f"pack-{name}", parts)
    if packs.use_cache and (stored := cache.load(entry_name)) is not None:
        try:
            return Pack.model_validate(stored)
        except ValidationError:
            pass
    pack = _parse_pack(where, name, packs, contents)
    if packs.use_cache:
        cache.store(entry_name, _plain(pack))
    return pack


def _parse_pack(where: tuple[Path, ...], name: str, packs: PackSet, contents: dict[Path, bytes]) -> Pack:
    if name == parse.COMMON:
        path = _head_file(where, name)
        hooks = next((p for p in contents if p.name == parse.WEBHOOKS), None)
        head = Head(
            _NO_COMMON if path is None else parse.parse_head(path, contents[path]),
            None if hooks is None else _webhooks(hooks, contents[hooks]),
        )
    else:
        head = packs.heads[name]
    rows: dict[str, Any] = dict.fromkeys(_KINDS, ())
    for path, content in contents.items():
        if path.name in parse.LISTS:
            table, part = parse.LISTS[path.name]
            rows[part] += parse.parse_list(_KINDS[part], path, content, table)
    return Pack(platform=head.platform, webhooks=head.webhooks, **rows)
