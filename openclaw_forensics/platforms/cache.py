"""Validated packs on disk, so that thousands of rows are not parsed and checked again at every start.

An entry is msgpack under a name that hashes the files' content, the tool's version and the model's own source: whatever
changes, the name changes. Nothing executable is stored, every entry is validated when read, and any failure is silent:
the cache is never needed.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from openclaw_forensics.platforms import model

MAX_ENTRY = 64 << 20  # bytes of a cache entry that is read


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


def version() -> str:
    """The installed version, "0" in a checkout that was never installed."""
    try:
        return importlib.metadata.version("openclaw-forensics")
    except importlib.metadata.PackageNotFoundError:
        return "0"


@functools.cache
def _schema() -> bytes:
    """A hash of what a pack may say: the source of the models."""
    digest = hashlib.sha256()
    for module in (model, sys.modules["openclaw_forensics.words"], sys.modules["openclaw_forensics.taxonomy"]):
        try:
            digest.update(Path(str(module.__file__)).read_bytes())
        except OSError:
            digest.update(b"?")
    return digest.digest()


@functools.cache
def _readers() -> bytes:
    """The code that makes entries: one made by another state of it is not taken for its own."""
    folder = Path(__file__).parent
    return b"".join((folder / name).read_bytes() for name in ("load.py", "parse.py"))


def key_of(kind: str, contents: Iterable[bytes]) -> str:
    """The name of the entry for these file contents."""
    digest = hashlib.sha256(f"{kind}\0{version()}\0".encode() + _schema() + _readers())
    for content in contents:
        digest.update(len(content).to_bytes(8, "big") + content)
    return f"{kind}-{digest.hexdigest()[:40]}.msgpack"


def load(name: str, folder: Path | None = None) -> object | None:
    """The stored entry, or None."""
    try:
        path = (folder or cache_dir()) / name
        if path.stat().st_size > MAX_ENTRY:
            return None
        entry: object = msgspec.msgpack.decode(path.read_bytes())
    except (OSError, RuntimeError, ValueError, msgspec.MsgspecError, RecursionError):
        return None
    return entry


def store(name: str, entry: object, folder: Path | None = None) -> None:
    """Write an entry in one step; whatever goes wrong is ignored."""
    try:
        target = folder or cache_dir()
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=target, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(msgspec.msgpack.encode(entry))
            os.replace(temporary, target / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except (OSError, RuntimeError, TypeError, ValueError, msgspec.MsgspecError):
        return
