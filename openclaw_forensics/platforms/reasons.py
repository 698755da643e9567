"""Why a signature could not be recomputed."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "no_signature",  # the request carries none
    "part_absent",  # a part that the scheme needs is not in the request
    "part_not_recorded",
    "part_masked",
    "not_understood",  # a part is there in a form that is not known
    "body_not_exact",  # the text is known, its bytes are not
    "no_key",  # no key of this kind was given
    "key_unreadable",  # the key is not of the declared encoding or form
]


class NotComputableError(Exception):
    """The string cannot be built; `reason` and the part that is to blame."""

    def __init__(self, reason: Reason, part: str) -> None:
        super().__init__(f"{reason}: {part}")
        self.reason: Reason = reason
        self.part = part
