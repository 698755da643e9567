"""Result documents to render: one per kind of verdict, with the parts that such a verdict has."""

from __future__ import annotations

from collections.abc import Callable

from openclaw_forensics.result import Result
from tests.report.documents.callback import callback
from tests.report.documents.clock_skew import clock_skew
from tests.report.documents.deprecation import deprecation
from tests.report.documents.new_field import new_field
from tests.report.documents.no_verdict import nothing_read, self_healed, sound, unknown_majority
from tests.report.documents.parts import LABELS, TOOL, at, exchange
from tests.report.documents.several_causes import several_causes
from tests.report.documents.token_cascade import token_cascade
from tests.report.documents.undetermined import undetermined

DOCUMENTS: dict[str, Callable[[], Result]] = {
    made.__name__: made
    for made in (
        token_cascade,
        clock_skew,
        new_field,
        callback,
        undetermined,
        sound,
        self_healed,
        nothing_read,
        unknown_majority,
        several_causes,
        deprecation,
    )
}

__all__ = [
    "DOCUMENTS",
    "LABELS",
    "TOOL",
    "at",
    "callback",
    "clock_skew",
    "deprecation",
    "exchange",
    "new_field",
    "nothing_read",
    "self_healed",
    "several_causes",
    "sound",
    "token_cascade",
    "undetermined",
    "unknown_majority",
]
