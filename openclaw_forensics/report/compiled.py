"""Compiled templates, kept for the next start: compiling them takes longer than most analyses."""

from __future__ import annotations

import marshal
import sys

import jinja2
from jinja2.bccache import Bucket, BytecodeCache

from openclaw_forensics import cache


class Compiled(BytecodeCache):
    """Jinja's cache in the tool's own folder, and only if nobody else can write there: what it holds is code."""

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the bucket its code, if it is stored."""
        if (code := cache.load_code(_name(bucket))) is not None:
            bucket.code = marshal.loads(code)  # noqa: S302  (ours: see cache.load_code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Store the bucket's code."""
        cache.store_code(_name(bucket), marshal.dumps(bucket.code))


def _name(bucket: Bucket) -> str:
    """Of everything that compiling depends on: the source, the environment's making, Jinja and Python."""
    made_with = f"{bucket.checksum} {jinja2.__version__} {sys.implementation.cache_tag} {sys.hexversion}"
    return cache.key_of("template", [bucket.key.encode(), made_with.encode()], "openclaw_forensics.report.html")
