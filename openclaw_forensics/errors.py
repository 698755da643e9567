"""What can go wrong, in two groups: problems are recorded and the work goes on, errors are raised and end it.

Recorded (`Problem`, one per place in an input; `ProblemKind` is the closed list)::

    unreadable          the file cannot be opened or decompressed at all
    unsupported         a known format that cannot be read here; the message says how to export it instead
    unrecognised        text or bytes in no format known to us
    truncated           the input ends in the middle of an item; what came before is analysed
    malformed           one item (entry, line, record) does not parse; the others are analysed
    undecodable         bytes that are not text in the detected encoding, or a body that does not decompress
    limit               a bound was reached (bytes, ratio, depth, line length, members); the rest is analysed
    encrypted           a protected archive or body without a key
    time                a time stamp that cannot be read
    filtered            something the format contains that is not an exchange (tunnels, web sockets), counted

Raised (`ForensicsError` and below), each with the exit code it ends in::

    ForensicsError
    ├── UsageError      2   the command line or the settings are wrong
    ├── NothingReadable 2   no input decodes as text or as a known format
    ├── RuleError       2   a rule, pack or format file is wrong; names file, line and what to do
    ├── LeakError       4   an output was refused because a secret would have leaked
    └── StateHeld       5   another run holds the state
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

ProblemKind = Literal[
    "unreadable",
    "unsupported",
    "unrecognised",
    "truncated",
    "malformed",
    "undecodable",
    "limit",
    "encrypted",
    "time",
    "filtered",
]
PROBLEM_KINDS: tuple[str, ...] = get_args(ProblemKind)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in an input that could not be used. `line` is 1-based, `offset` in bytes of the decompressed stream."""

    kind: ProblemKind
    message: str
    line: int | None = None
    offset: int | None = None


class ForensicsError(Exception):
    """Base of everything raised on purpose; its text is what the user reads."""

    exit_code: ClassVar[int] = 3


class UsageError(ForensicsError):
    """The command line or the settings cannot be followed."""

    exit_code = 2


class NothingReadable(ForensicsError):
    """No input decodes as text or as a known format."""

    exit_code = 2


class RuleError(ForensicsError):
    """A rule, pack or format file is wrong."""

    exit_code = 2

    def __init__(self, path: str, message: str, line: int | None = None) -> None:
        self.path, self.line = path, line
        super().__init__(f"{path}{f':{line}' if line else ''}: {message}")


class LeakError(ForensicsError):
    """An output would have contained a secret; names the secret's kind and place, never its value."""

    exit_code = 4


class StateHeld(ForensicsError):
    """Another run holds the state folder."""

    exit_code = 5
