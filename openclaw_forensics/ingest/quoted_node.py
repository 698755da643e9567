"""Errors of Node's HTTP clients: axios, got, request; as text, as JSON, and as `util.inspect` prints them."""

from __future__ import annotations

import re

from openclaw_forensics.ingest.exceptions import family
from openclaw_forensics.ingest.quoted_parts import Call, answer, place
from openclaw_forensics.ingest.quoted_values import read_body

_AXIOS_STATUS = re.compile(r"Request failed with status code (\d{3})|Response code (\d{3}) \(")
_FIELD = r"""["']?{name}["']?\s*[:=]\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\d+))"""


def field(text: str, *names: str) -> str | None:
    """The first value of a key in a dump of an object, JSON or Node's."""
    for name in names:
        if found := re.search(r"\b" + _FIELD.format(name=name), text):
            return next(g for g in found.groups() if g is not None).replace("\\/", "/")
    return None


def read_node(text: str) -> Call | None:
    """The call that a Node error tells: its target from the dumped options, its status and body, or why none came."""
    found = _AXIOS_STATUS.search(text)
    call: Call = {"writer": "axios", "role": "failure"} | node_target(text)
    if found:
        call["status"] = int(found[1] or found[2])
        if at := re.search(
            r"\b(?:response|body)[\"']?:\s*\{?[^{]*?\bdata[\"']?:\s*(?=[{\[\"'])|\bbody[\"']?:\s*(?=[{\[\"'])", text
        ):
            call |= answer(read_body(text[at.end() :], label=False))
    elif (kind := family(text)) is not None:
        call |= {"transport_error": kind, "error": _node_error(text)} | ({} if call.get("url") else place(text))
    else:
        return None
    return call | ({"role": "exchange"} if call.get("url") or call.get("host") else {})


def node_target(text: str) -> Call:
    """Method and URL in a dump of a Node error: axios' config, got's options, request's fields."""
    url, method = field(text, "url", "uri", "href"), field(text, "method")
    base = field(text, "baseURL", "prefixUrl")
    host, path = field(text, "hostname", "host"), field(text, "path", "pathname")
    call: Call = {"method": method.upper()} if method and method.isalpha() else {}
    if url and url.startswith("http"):
        call["url"] = url
    elif url and base:
        call["url"] = base.rstrip("/") + "/" + url.lstrip("/")
    elif host and path and path.startswith("/"):
        call["url"] = f"https://{host}{path}"
    elif host and "." in host:
        call["host"] = host.lower()
    elif url and url.startswith("/"):
        call["target"] = url
    return call


def _node_error(text: str) -> str:
    found = re.search(r"(?:[A-Z]\w*Error|Error): ([^\n]+)|\"message\": ?\"([^\"]+)\"", text)
    return ((found[1] or found[2]) if found else text.split("\n", 1)[0])[:2000]
