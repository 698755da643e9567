"""Archives and compressed files as sources: members are read in bounds and never written under their own names."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.inflate import DECODE_ERRORS, Bounds, Compression, Inflated, compression_of
from openclaw_forensics.ingest.series import ordered
from openclaw_forensics.ingest.sources import HEAD, Source
from openclaw_forensics.ingest.spool import Spool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Opener = Callable[[], BinaryIO]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ZIP_ERRORS = (*DECODE_ERRORS, zipfile.BadZipFile, NotImplementedError, RuntimeError)
# A zip that one reader takes whole: Fiddler sessions, office documents, a HAR with its bodies beside it, Charles.
_WHOLE = (
    re.compile(r"raw/\d+_[cs]\.txt$"),
    re.compile(r"\[Content_Types\]\.xml$"),
    re.compile(r"META-INF/manifest\.xml$"),
)
_HASHED = re.compile(r"[0-9a-f]{20,}(?:\.\w+)?$")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input that gives no source, and why."""

    path: str
    problem: Problem


class _Guarded(io.RawIOBase):
    """An archive member: what breaks inside it is reported and ends the stream."""

    def __init__(self, member: BinaryIO, report: Callable[[Problem], None]) -> None:
        self._member, self._report, self._place = member, report, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._member.read(len(view))
        except _ZIP_ERRORS as exc:
            self._report(Problem("truncated", f"the archive member is broken here: {exc}", offset=self._place))
            return 0
        view[: len(data)] = data
        self._place += len(data)
        return len(data)

    def close(self) -> None:
        self._member.close()
        super().close()


def sources_of(path: str, opener: Opener, bounds: Bounds, depth: int = 0) -> Iterator[Source | Unreadable]:
    """The sources in one stored stream: itself, itself decompressed, or the members of the archive that it is."""
    source = Source(path, opener)
    try:
        head = source.head(HEAD)
    except _ZIP_ERRORS as exc:
        yield Unreadable(path, Problem("unreadable", f"cannot be read: {_reason(exc)}"))
        return
    layers = 0
    while kind := compression_of(head):
        layers += 1
        if layers > bounds.depth:
            yield Unreadable(path, Problem("limit", f"compressed more than {bounds.depth} times"))
            return
        source = _inflated(source, kind, bounds)
        head = source.head(HEAD)
        if not head and source.problems:
            yield Unreadable(path, source.problems[0])
            return
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from _zip_sources(source, bounds, depth, seekable=not layers and depth == 0)
    elif head[257:262] == b"ustar" or (path.endswith(".tar") and _is_old_tar(head)):
        yield from _tar_sources(source, bounds, depth)
    else:
        yield source


def _inflated(outer: Source, kind: Compression, bounds: Bounds) -> Source:
    inner = Source(outer.path, outer.opener, problems=outer.problems)
    opener = outer.opener
    inner.opener = lambda: io.BufferedReader(Inflated(opener(), kind, bounds, inner.report), 1 << 20)
    return inner


class _Archive:
    """One opened archive: the sizes of its members by shown name, and how to open one."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}

    def open(self, name: str, report: Callable[[Problem], None]) -> BinaryIO:
        """A fresh stream of one member, whose faults go to `report`."""
        raise NotImplementedError

    def refuse(self, name: str, bounds: Bounds) -> Problem | None:
        """Why a member cannot be read, if so."""


class _Zip(_Archive):
    """A zip, held open while any source of it lives, since its directory is costly to read."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._zip = zipfile.ZipFile(stream)
        self.names = [info.filename for info in self._zip.infolist()]
        shown = {_shown(_zip_name(info)): info for info in self._zip.infolist() if not info.is_dir()}
        self._kept = {name: info for name, info in shown.items() if not _hidden(name)}
        self.sizes = {name: info.file_size for name, info in self._kept.items()}

    def __del__(self) -> None:
        self._stream.close()

    def open(self, name: str, report: Callable[[Problem], None]) -> BinaryIO:
        member = cast("BinaryIO", self._zip.open(self._kept[name]))
        return io.BufferedReader(_Guarded(member, report), 1 << 16)

    def refuse(self, name: str, bounds: Bounds) -> Problem | None:
        info = self._kept[name]
        if info.flag_bits & 1:
            return Problem("encrypted", "the archive member is protected by a password; unpack it first")
        if info.file_size > bounds.ratio_from and info.file_size > bounds.ratio * max(info.compress_size, 1):
            return Problem("limit", f"expands more than {bounds.ratio} times; left out")
        return None


class _Tar(_Archive):
    """A tar whose bytes are spooled; members are stretches of the spool."""

    def __init__(self, spool: Spool, members: int, report: Callable[[Problem], None]) -> None:
        super().__init__()
        self._spool = spool
        self._starts: dict[str, int] = {}
        try:
            with tarfile.open(fileobj=spool.view(), mode="r:") as archive:
                for info in archive:
                    if info.isreg() and not info.issparse() and not _hidden(name := _shown(info.name)):
                        self.sizes[name], self._starts[name] = info.size, info.offset_data
                    if len(self.sizes) > members:
                        break
        except (tarfile.TarError, *DECODE_ERRORS) as exc:
            report(Problem("truncated", f"the tar archive is broken here: {_reason(exc)}"))

    def open(self, name: str, report: Callable[[Problem], None]) -> BinaryIO:
        start, size = self._starts[name], self.sizes[name]
        if start + size > self._spool.size:
            report(Problem("truncated", "the tar archive ends in the middle of this member"))
        return self._spool.view(start, min(size, max(self._spool.size - start, 0)))


def _zip_sources(source: Source, bounds: Bounds, depth: int, *, seekable: bool) -> Iterator[Source | Unreadable]:
    try:
        opener = source.opener if seekable else _spooled(source, bounds).view
        stream = opener()
        try:
            archive = _Zip(stream)
        except _ZIP_ERRORS:
            stream.close()
            raise
    except _ZIP_ERRORS as exc:
        yield Unreadable(source.path, Problem("unreadable", f"the zip cannot be opened: {_reason(exc)}"))
        return
    if _taken_whole(archive.names):
        yield Source(source.path, opener, problems=source.problems)
    else:
        yield from _members(source.path, archive, bounds, depth)


def _tar_sources(source: Source, bounds: Bounds, depth: int) -> Iterator[Source | Unreadable]:
    archive = _Tar(_spooled(source, bounds), bounds.members, source.report)
    for problem in source.problems:
        yield Unreadable(source.path, problem)
    yield from _members(source.path, archive, bounds, depth)


def _members(path: str, archive: _Archive, bounds: Bounds, depth: int) -> Iterator[Source | Unreadable]:
    """The members of one archive in order, rotated series oldest first, within the bounds."""
    if depth >= bounds.depth:
        yield Unreadable(path, Problem("limit", f"an archive more than {bounds.depth} archives deep; left out"))
        return
    names = sorted(archive.sizes)
    if len(names) > bounds.members:
        yield Unreadable(path, Problem("limit", f"more than {bounds.members} members; the others are left out"))
    left = bounds.expanded
    for name, series in ordered(names[: bounds.members]):
        left -= archive.sizes[name]
        problem = archive.refuse(name, bounds)
        if problem is None and left < 0:
            problem = Problem("limit", f"the archive expands to more than {bounds.expanded} bytes; left out")
        if problem:
            yield Unreadable(f"{path}!/{name}", problem)
            continue
        for inner in _member_sources(f"{path}!/{name}", name, archive, bounds, depth):
            if isinstance(inner, Source) and series and inner.series is None:
                inner.series = f"{path}!/{series}"
            yield inner


def _member_sources(
    path: str, name: str, archive: _Archive, bounds: Bounds, depth: int
) -> Iterator[Source | Unreadable]:
    problems: list[Problem] = []

    def report(problem: Problem) -> None:
        if problem not in problems:
            problems.append(problem)

    for inner in sources_of(path, lambda: archive.open(name, report), bounds, depth + 1):
        if isinstance(inner, Source) and inner.path == path:
            problems += (problem for problem in inner.problems if problem not in problems)
            inner.problems = problems  # the member's own stream reports into the same list
        yield inner


def _spooled(source: Source, bounds: Bounds) -> Spool:
    with source.opener() as stream:
        spool = Spool(stream, bounds.expanded)
    if spool.cut:
        source.report(Problem("limit", f"only the first {bounds.expanded} bytes of the archive were read"))
    return spool


def _taken_whole(names: list[str]) -> bool:
    if any(pattern.match(name) for name in names for pattern in _WHOLE):
        return True
    hars = [name for name in names if name.lower().endswith(".har")]
    others = [name for name in names if not name.lower().endswith(".har")]
    return len(hars) == 1 and bool(others) and all(_HASHED.match(name) for name in others)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The member's name; old Windows tools write GBK without saying so, which zipfile reads as code page 437."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    stored = info.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return stored.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _shown(name: str) -> str:
    """A member's name that leads nowhere: no root, no drive, no parent, no control characters."""
    parts = _CONTROL.sub("\ufffd", name.replace("\\", "/")).split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..") and not part.endswith(":")) or "unnamed"


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _is_old_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _reason(exc: BaseException) -> str:
    return (exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)) or type(exc).__name__
