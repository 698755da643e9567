"""What the variables of nginx's `log_format` and the directives of Apache's `LogFormat` mean to us.

A role is the name of a column of the raw frame, from which `accesslog_frame` makes exchanges. Sources: nginx's modules
ngx_http_log_module, ngx_http_core_module and ngx_http_upstream_module; Apache's mod_log_config; Squid and Envoy use
the same roles from their own readers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

REQUEST_HEADER: Final = "header:"
RESPONSE_HEADER: Final = "response_header:"
SKIP: Final = "skip"

_LIST = r"(?:-|[\w.:\[\]/]+)?(?: ?[,:] ?(?:-|[\w.:\[\]/]+))*"
# How a role's value looks where the text around it does not say so.
SHAPES: Final[dict[str, str]] = {
    "status": r"\d{1,3}|-",
    "stamp": r"\d\d/\w{3}/\d{4}[: ]\d\d:\d\d:\d\d(?: [+-]\d{4})?",
    "stamp_iso": r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?",
    "stamp_epoch": r"\d{9,10}(?:\.\d+)?",
    "duration_s": r"-?\d+(?:\.\d+)?|-|",
    "duration_ms": r"-?\d+(?:\.\d+)?|-|",
    "duration_us": r"-?\d+|-|",
    "body_bytes": r"\d+|-",
    "user": r"-|-?[^\[\"\s-][^\[\"]*?",  # may hold blanks, but "- -" is two columns
    "upstream_status": _LIST,
    "upstream_time": _LIST,
    "upstream_address": _LIST,
    "upstream_other": _LIST,
    "is_args": r"\??",
    "query_marked": r"\??\S*",
}

NGINX: Final[dict[str, str]] = {
    "remote_addr": "client",
    "realip_remote_addr": SKIP,
    "remote_user": "user",
    "time_local": "stamp",
    "time_iso8601": "stamp_iso",
    "msec": "stamp_epoch",
    "request": "request",
    "request_method": "method",
    "request_uri": "target",
    "uri": "path",
    "document_uri": "path",
    "args": "query",
    "query_string": "query",
    "is_args": "is_args",
    "server_protocol": "protocol",
    "status": "status",
    "body_bytes_sent": "body_bytes",
    "host": "host",
    "http_host": "host",
    "server_name": "vhost",
    "scheme": "scheme",
    "server_port": "port",
    "server_addr": "server_address",
    "request_time": "duration_s",
    "upstream_response_time": "upstream_time",
    "upstream_status": "upstream_status",
    "upstream_addr": "upstream_address",
    "request_id": "trace_id",
    "request_body": "request_body",
    "upstream_connect_time": "upstream_other",
    "upstream_header_time": "upstream_other",
}
APACHE: Final[dict[str, str]] = {
    "h": "client",
    "a": "client",
    "A": "server_address",
    "u": "user",
    "t": "stamp",
    "r": "request",
    "m": "method",
    "U": "path",
    "q": "query_marked",
    "H": "protocol",
    "s": "status",
    "b": "body_bytes",
    "B": "body_bytes",
    "D": "duration_us",
    "T": "duration_s",
    "v": "vhost",
    "V": "host",
    "p": "port",
}
_APACHE_TIME = {"ms": "duration_ms", "us": "duration_us", "s": "duration_s"}

_NGINX_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_APACHE_DIRECTIVE = re.compile(r"%(?:!?\d{3}(?:,\d{3})*)?([<>]?)(?:\{([^}]*)\})?(\^?[a-zA-Z]{1,2}|%)")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a format: literal text, or a variable with its role."""

    text: str = ""
    role: str = ""


def header_name(variable: str) -> str:
    """`user_agent` as a header is written: `User-Agent`."""
    return "-".join(part.capitalize() for part in variable.split("_"))


def nginx_tokens(form: str) -> list[Token]:
    """The pieces of an nginx format string (already unquoted)."""
    tokens: list[Token] = []
    at = 0
    for match in _NGINX_VARIABLE.finditer(form):
        tokens += [Token(text=form[at : match.start()])] if match.start() > at else []
        tokens.append(Token(role=_nginx_role(match[1] or match[2])))
        at = match.end()
    return tokens + ([Token(text=form[at:])] if at < len(form) else [])


def _nginx_role(variable: str) -> str:
    if role := NGINX.get(variable):
        return role
    if variable.startswith("http_"):
        return REQUEST_HEADER + header_name(variable.removeprefix("http_"))
    if variable.startswith("sent_http_"):
        return RESPONSE_HEADER + header_name(variable.removeprefix("sent_http_"))
    return SKIP


def apache_tokens(form: str) -> list[Token]:
    """The pieces of an Apache format string (already unquoted). `%t` brings its own brackets."""
    tokens: list[Token] = []
    at = 0
    for match in _APACHE_DIRECTIVE.finditer(form):
        tokens += [Token(text=form[at : match.start()])] if match.start() > at else []
        tokens += _apache_directive(match[1], match[2], match[3])
        at = match.end()
    return tokens + ([Token(text=form[at:])] if at < len(form) else [])


def _apache_directive(which: str, argument: str | None, letter: str) -> list[Token]:
    if letter == "%":
        return [Token(text="%")]
    if letter == "t" and argument is None:
        return [Token(text="["), Token(role="stamp"), Token(text="]")]
    return [Token(role=_apache_role(which, argument, letter))]


def _apache_role(which: str, argument: str | None, letter: str) -> str:
    if argument is None:
        return SKIP if (letter, which) == ("s", "<") else APACHE.get(letter, SKIP)
    if letter == "T":
        return _APACHE_TIME.get(argument, SKIP)
    if letter == "t":
        return {"sec": "stamp_epoch", "begin:sec": "stamp_epoch"}.get(argument, SKIP)
    if letter in ("i", "o") and re.fullmatch(r"[\w-]+", argument):
        return (REQUEST_HEADER if letter == "i" else RESPONSE_HEADER) + argument
    if argument.upper() == "UNIQUE_ID":
        return "trace_id"
    return APACHE[letter] if letter in ("a", "p") and argument in ("c", "local", "canonical") else SKIP
