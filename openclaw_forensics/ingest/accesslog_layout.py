"""One layout of access-log lines: which column stands where, as a pattern and, where it can be, as a CSV dialect.

Layouts are written in the servers' own notation (`log_format`, `LogFormat`) and compiled here. The pattern runs in
polars' linear-time engine. The CSV way is several times faster and only taken for a chunk that shows, by counting its
quotes and columns, that no line strays from the layout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from openclaw_forensics.ingest.accesslog_fields import SHAPES, SKIP, Token, apache_tokens, nginx_tokens

MAX_FORMAT = 16 << 10  # bytes of one format directive
_QUOTED = r'[^"\\]*(?:\\.[^"\\]*)*'


@dataclass(frozen=True, slots=True)
class CsvColumn:
    """One space-separated column: its role, and literal text around the value that must be there."""

    role: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout. `roles` has one entry per group of `pattern`."""

    name: str
    pattern: str
    roles: tuple[str, ...]
    columns: tuple[CsvColumn, ...] = ()  # empty: only the pattern can read it
    quotes: int = 0  # double quotes in each line, where `columns` is set
    writer: str | None = None
    stamp_at_end: bool = True  # the stamp is taken when the answer is done, as nginx does; Apache when it begins
    tail: bool = False  # has a last group "tail" with whatever follows

    def wrapped(self, prefix: str) -> Layout:
        """The same layout behind a prefix (syslog, docker) with one group, a stamp; only the pattern can read it."""
        pattern = "^" + prefix + self.pattern.removeprefix("^")
        return replace(self, pattern=pattern, roles=("stamp_prefix", *self.roles), columns=(), quotes=0)


def nginx_layout(name: str, form: str) -> Layout:
    """The layout of an nginx format string."""
    return _compile(name, nginx_tokens(form), writer="nginx", stamp_at_end=True)


def apache_layout(name: str, form: str) -> Layout:
    """The layout of an Apache format string."""
    return _compile(name, apache_tokens(form), writer="apache", stamp_at_end=False)


def _compile(name: str, tokens: list[Token], *, writer: str, stamp_at_end: bool) -> Layout:
    tokens = _once(tokens)
    columns, quotes = _csv_columns(tokens)
    return Layout(
        name=name,
        pattern=_pattern(tokens),
        roles=tuple(token.role for token in tokens if token.role),
        columns=columns,
        quotes=quotes,
        writer=writer,
        stamp_at_end=stamp_at_end,
    )


def _once(tokens: list[Token]) -> list[Token]:
    """Of two variables with one role, the first counts."""
    seen: set[str] = set()
    kept: list[Token] = []
    for token in tokens:
        kept.append(Token(role=SKIP) if token.role in seen else token)
        seen.add(token.role or SKIP)
    return kept


def _pattern(tokens: list[Token]) -> str:
    parts: list[str] = []
    quoted = False
    for token, following in pairwise([*tokens, Token()]):
        if token.text:
            parts.append(re.escape(token.text))
            quoted ^= token.text.count('"') % 2 == 1
        else:
            parts.append(f"({_shape(token.role, following.text, quoted)})")
    return "^" + "".join(parts) + r"\s*$"


def _shape(role: str, following: str, quoted: bool) -> str:
    """The pattern of a value: by its role, else by what ends it."""
    if role in SHAPES:
        return SHAPES[role]
    if not following:
        return ".*?"
    end = following[0]
    if end == '"' and quoted:
        return _QUOTED
    if end.isspace():
        return r"\S*?" if len(following) > 1 else r"\S*"
    return f"[^{re.escape(end)}]*"


# Columns separated by one blank each, quotes around whole columns only.
_CSV = re.compile(r'(?:"[^"]*"|[^"\s]+)(?: (?:"[^"]*"|[^"\s]+))*')


def _csv_columns(tokens: list[Token]) -> tuple[tuple[CsvColumn, ...], int]:
    """The columns of a layout whose quotes stand only around whole columns; none for any other."""
    text = "".join(token.text or f"\0{token.role}\0" for token in tokens)
    if not _CSV.fullmatch(text):
        return (), 0
    columns: list[CsvColumn] = []
    for piece in re.findall(r'"[^"]*"|[^"\s]+', text):
        column = _csv_column(piece.strip('"'), quoted=piece.startswith('"'))
        if column is None:
            return (), 0
        columns += column
    return tuple(columns), text.count('"')


def _csv_column(piece: str, *, quoted: bool) -> list[CsvColumn] | None:
    match = re.fullmatch(r"([^\0]*)\0([^\0]+)\0([^\0]*)", piece)
    if match is None:
        return None if "\0" in piece else [CsvColumn(SKIP, before=piece)]
    before, role, after = match.groups()
    if quoted:
        return None if before or after else [CsvColumn(role)]
    if role == "stamp":
        return [CsvColumn("stamp", before), CsvColumn("stamp_zone", "", after)]
    # A list has blanks in it.
    return None if role.startswith("upstream_") else [CsvColumn(role, before, after)]


_NGINX_DIRECTIVE = re.compile(
    r"\blog_format\s+(\S{1,100})((?:\s+(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^;'\"\s]+))+)\s*;"
)
_PIECE = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|([^;'\"\s]+)")
_APACHE_LINE = re.compile(r"^\s*(?:LogFormat|CustomLog\s+\S+)\s+\"((?:[^\"\\]|\\.)*)\"(?:\s+(\S+))?", re.MULTILINE)


def directives(text: str) -> list[Layout]:
    """The layouts that a configuration text declares, or that a bare format string is."""
    found = [nginx_layout(match[1], _joined(match[2])) for match in _NGINX_DIRECTIVE.finditer(text)]
    found += [apache_layout(match[2] or "LogFormat", _unescape(match[1])) for match in _APACHE_LINE.finditer(text)]
    return [layout for layout in found if "status" in layout.roles or "request" in layout.roles]


def given(text: str) -> list[Layout]:
    """The layouts of `ReadOptions.log_format`: a directive as it stands in the configuration, or a bare format."""
    text = text.strip()[:MAX_FORMAT]
    if found := directives(text if text.endswith(";") or text.startswith("LogFormat") else text + ";"):
        return found
    bare = _joined(text) if text[:1] in "'\"" else text
    return [nginx_layout("log_format", bare) if "$" in bare else apache_layout("LogFormat", _unescape(bare))]


def _joined(pieces: str) -> str:
    """nginx joins the strings of a `log_format`; `escape=` is a parameter in front of them."""
    found = [match for match in _PIECE.finditer(pieces) if not (match[3] or "").startswith("escape=")]
    return "".join(_unescape(next(group for group in match.groups() if group is not None)) for match in found)


def _unescape(text: str) -> str:
    return text.replace('\\"', '"').replace("\\'", "'").replace("\\t", "\t").replace("\\\\", "\\")


_CLF = (
    r"^(?:([\w.\-]+(?::\d+)?) ([0-9a-fA-F.:]*[.:][0-9a-fA-F.:]*)|(\S+))"
    r'(?:(?: +([^\[\s]\S*) +([^\["]*?))? +\[(\d\d/\w{3}/\d{4}[: ]\d\d:\d\d:\d\d(?: [+-]\d{4})?)\] '
    r"| +- +\S+ +)"  # without a stamp of its own, "client - user": else any line that quotes a request would do
    rf'"({_QUOTED})" (\d{{1,3}}|-) (\d+|-)(?: "({_QUOTED})" "({_QUOTED})")?(?: (.*?))?\s*$'
)
# Anything of the family: a virtual host in front, ident and user or not, and whatever follows as the tail.
CLF = Layout(
    name="common log format",
    pattern=_CLF,
    roles=(
        "vhost",
        "client",
        "client_2",
        SKIP,
        SKIP,
        "stamp",
        "request",
        "status",
        "body_bytes",
        "header:Referer",
        "header:User-Agent",
        "tail",
    ),
    stamp_at_end=False,
    tail=True,
)
_COMBINED = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
_NGINX = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
_FORWARDED = ' "$http_x_forwarded_for"'


def _timed(name: str, tail: str) -> Layout:
    """nginx's combined format with a tail in which a time has decimals, by which nginx's is known."""
    layout = nginx_layout(name, _NGINX + tail)
    return replace(layout, pattern=layout.pattern.replace(f"({SHAPES['duration_s']})", r"(\d+\.\d{3})"))


KNOWN: tuple[Layout, ...] = (
    _timed("combined, request time", " $request_time"),
    _timed("combined, rt=", " rt=$request_time"),
    _timed("combined, forwarded for, request time", _FORWARDED + " $request_time"),
    _timed("combined, forwarded for, rt=", _FORWARDED + " rt=$request_time"),
    replace(apache_layout("combined", _COMBINED), writer=None),
    replace(apache_layout("common", '%h %l %u %t "%r" %>s %b'), writer=None),
    replace(apache_layout("combined, forwarded for", _COMBINED + ' "%{X-Forwarded-For}i"'), writer=None),
    CLF,
)
