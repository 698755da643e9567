"""What was checked or compiled once, on disk for the next start: never needed, and any failure of it is silent.

An entry's name hashes what it was made from and with, so whatever changes, the name changes. Entries are data, checked
by whoever reads them; the only code among them is that of our own templates, which is taken from nowhere but a folder
that nobody else can write to.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from pydantic import TypeAdapter, ValidationError

from openclaw_forensics import version

Made = TypeVar("Made")

MAX_ENTRY = 64 << 20  # bytes of a cache entry that is read
_DIGEST = 32  # bytes of SHA-256 in front of code
_OTHERS_WRITE = 0o022  # permission bits of group and others


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The user's cache folder for this tool: XDG_CACHE_HOME, LOCALAPPDATA, or the system's own place."""
    env = os.environ if environ is None else environ
    if sys.platform == "win32":
        base = Path(env.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        return base / "openclaw-forensics" / "Cache"
    if found := env.get("XDG_CACHE_HOME"):
        return Path(found) / "openclaw-forensics"
    home = Path.home()
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "openclaw-forensics"


def key_of(kind: str, contents: Iterable[bytes], *makers: str) -> str:
    """The name of the entry for these file contents, made by the modules `makers` (their names)."""
    digest = hashlib.sha256(f"{kind}\0{version()}\0".encode() + b"".join(map(_source, makers)))
    for content in contents:
        digest.update(len(content).to_bytes(8, "big") + content)
    return f"{kind}-{digest.hexdigest()[:40]}.msgpack"


@functools.cache
def _source(module: str) -> bytes:
    """A hash of a loaded module's source: an entry made by another state of it is not taken for its own."""
    try:
        return hashlib.sha256(Path(str(sys.modules[module].__file__)).read_bytes()).digest()
    except (OSError, KeyError):
        return b"?"


def load(name: str, folder: Path | None = None) -> object | None:
    """The stored entry, or None."""
    try:
        entry: object = msgspec.msgpack.decode(_read((folder or cache_dir()) / name))
    except (OSError, RuntimeError, ValueError, msgspec.MsgspecError, RecursionError):
        return None
    return entry


def store(name: str, entry: object, folder: Path | None = None) -> None:
    """Write an entry in one step; whatever goes wrong is ignored."""
    try:
        _write((folder or cache_dir()) / name, msgspec.msgpack.encode(entry))
    except (OSError, RuntimeError, TypeError, ValueError, msgspec.MsgspecError):
        return


def checked(
    kind: str, known: TypeAdapter[Made], contents: Sequence[bytes], make: Callable[[], Made], *makers: str
) -> Made:
    """What `make` reads in file contents and checks, or the same from an earlier start. Raises what `make` raises."""
    name = key_of(kind, contents, *makers)
    if (stored := load(name)) is not None:
        with contextlib.suppress(ValidationError):
            return known.validate_python(stored)
    made = make()
    with contextlib.suppress(ValueError, TypeError, OverflowError, msgspec.MsgspecError):
        plain = msgspec.msgpack.encode(known.dump_python(made, mode="json", exclude_defaults=True, by_alias=True))
        entry = msgspec.msgpack.decode(plain)
        if known.validate_python(entry) == made:  # a file may hold what an entry cannot, such as a time
            store(name, entry)
    return made


def load_code(name: str) -> bytes | None:
    """Stored code whole and as we wrote it, if only this user can write where it lies; else None."""
    try:
        path = cache_dir() / name
        if not _ours(path.parent) or not _ours(path):
            return None
        entry = _read(path)
    except (OSError, RuntimeError, ValueError):
        return None
    code = entry[_DIGEST:]
    return code if hashlib.sha256(code).digest() == entry[:_DIGEST] else None


def store_code(name: str, code: bytes) -> None:
    """Write code in one step; whatever goes wrong is ignored."""
    try:
        _write(cache_dir() / name, hashlib.sha256(code).digest() + code)
    except (OSError, RuntimeError, ValueError):
        return


def _ours(path: Path) -> bool:
    """Whether only this user can write there. Windows keeps a user's LOCALAPPDATA from other users itself."""
    if sys.platform == "win32":
        return True
    status = path.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_WRITE


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_ENTRY:
        raise ValueError(path)
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
