"""Error texts of client libraries that quote an exchange word for word: method, URL, status, body, or why none came.

One small function per library; `quoted` asks those whose mark occurs. What they return is a dict of call fields (see
`calls.FRAGMENT`). The marks are joined into MARKS so that only records that hold one are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from openclaw_forensics.ingest.exceptions import CURL_CODES, call_in, family, without_frames
from openclaw_forensics.ingest.quoted_node import read_node
from openclaw_forensics.ingest.quoted_openapi import client_named, read_openapi
from openclaw_forensics.ingest.quoted_parts import LIMIT, Call, answer, body_after, place
from openclaw_forensics.ingest.quoted_values import ABSENT, read_body

_METHOD = r"(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)"
_URL = r"""https?://[^\s"'`<>()\[\]{},]+(?:\([^\s"'`<>()]*\))*[^\s"'`<>()\[\]{}]*"""


def quoted(text: str) -> Call | None:
    """The call that a library's error text quotes, None when the text holds no such quote."""
    whole = text[:LIMIT]
    text = without_frames(whole)
    for mark, read in _READERS:
        if mark in text and (call := read(text)) is not None:
            if read is _generated and call.get("client") and (named := call_in(whole)):
                call["client"] = " ".join(dict.fromkeys(f"{call['client']} {named}".split(" ")))
            return call
    return None


_GUZZLE = re.compile(
    rf"(?:Client|Server) error: `{_METHOD} ([^`]+)` resulted in a `(\d{{3}}) ?([^`]*)` response(:)?|"
    r"(?:Client|Server) error response\s*\[url\] (\S+)\s*\[status code\] (\d{3})"
)


def _guzzle(text: str) -> Call | None:
    found = _GUZZLE.search(text)
    if not found:
        return None
    if found[6]:
        return {"role": "exchange", "writer": "Guzzle", "url": found[6], "status": int(found[7])}
    call: Call = {
        "role": "exchange",
        "writer": "Guzzle",
        "method": found[1],
        "url": found[2].strip(),
        "status": int(found[3]),
    }
    if found[5]:
        return call | answer(body_after(text, found.end()))
    return call | {"state_reason": "the client's text leaves out a body that it cannot cut between characters"}


_CURL = re.compile(
    r"(?:cURL [Ee]rror (?:code )?\(?|\[curl\] |curl: \(|cURL error )(\d{1,2})\)?:? ?([^\n]*)|"
    r"CurlException[^\n]{0,40}?: (\d{1,2}) : ([^\n]*)"
)
_CURL_URL = re.compile(rf"(?: for |\[url\] )({_URL})")
_REQUEST_ARG = re.compile(rf"->(?:request|send)\('{_METHOD}'")


def _curl(text: str) -> Call | None:
    found = _CURL.search(text)
    if not found:
        return None
    code, words = int(found[1] or found[3]), (found[2] or found[4] or "")
    message = re.sub(r"\s*\(see https?://[^)]*\).*$|\s*\[url\].*$| at (?:/|[A-Z]:\\).*$", "", words).strip()
    call: Call = {"writer": "cURL", "error": f"cURL error {code}: {message}".rstrip(": ")}
    if code == 22 and (status := re.search(r"error:? ?(\d{3})", words)):
        call["status"] = int(status[1])
    else:
        call["transport_error"] = _curl_family(code, words)
    if url := _CURL_URL.search(text, found.start()):
        call["url"] = url[1].rstrip(".,;")
    else:
        call |= place(words)
    if method := _REQUEST_ARG.search(text):
        call["method"] = method[1]
    return call | {"role": "exchange" if call.get("url") or call.get("host") else "failure"}


def _curl_family(code: int, words: str) -> str:
    if code == 28 and "onnection timed out" in words:
        return "connect"
    if code in (7, 56) and "proxy" in words.lower():
        return "proxy"
    return CURL_CODES.get(code, "other")


def _generated(text: str) -> Call | None:
    """A generated client; where curl failed below it, curl tells the address."""
    inner = _curl(text) if "cURL error" in text else None
    return read_openapi(text) if inner is None else inner | {"client": client_named(text)}


_POOL = re.compile(
    r"(HTTPS?)ConnectionPool\(host='([^']*)', port=(\d+)\): "
    r"(?:Max retries exceeded with url: (\S*) ?(\(Caused by .*)?|([^\n]*))"
)


def _pool(text: str) -> Call | None:
    found = _POOL.search(text)
    if not found:
        return None
    scheme, host, port = found[1].lower(), found[2], int(found[3])
    call: Call = {"role": "exchange", "writer": "requests", "error": found[0][:2000]}
    if found[4]:
        default = 443 if scheme == "https" else 80
        call["url"] = f"{scheme}://{host}{'' if port == default else f':{port}'}{found[4]}"
    else:
        call |= {"host": host.lower(), "port": port, "scheme": scheme}
    return call | {"transport_error": family(found[0]) or "other"}


_RETRYING = re.compile(r"Retrying \(Retry\([^)]*\)\) after connection broken by '(.*)': (\S+)")


def _retrying(text: str) -> Call | None:
    found = _RETRYING.search(text)
    if not found:
        return None
    return {
        "role": "exchange",
        "writer": "urllib3",
        "target": found[2],
        "error": found[1][:2000],
        "transport_error": family(found[1]) or "other",
        "library": True,
    } | place(found[1])


_RAISED = re.compile(r"(\d{3}) (?:Client|Server) Error: ?(.*?) for url: (\S+)")
_ADDED = re.compile(r"[\s,;|-]{1,20}(?:(?i:resp(?:onse)?|body|text|content)[\w .]{0,20}[=:]\s{0,3})?[{\[<]")


def _raised(text: str) -> Call | None:
    found = _RAISED.search(text)
    if not found:
        return None
    call: Call = {"role": "exchange", "writer": "requests", "status": int(found[1]), "url": found[3].rstrip(",;")}
    # The library's text ends with the URL; a body behind it is what the program added.
    added = _ADDED.match(text, found.end())
    return call | answer(body_after(text, added.end() - 1)) if added else call


_SPRING_IO = re.compile(rf'I/O error on {_METHOD} request for "([^"]+)": ([^\n]*)')


def _spring_io(text: str) -> Call | None:
    found = _SPRING_IO.search(text)
    return found and {
        "role": "exchange",
        "writer": "RestTemplate",
        "method": found[1],
        "url": found[2],
        "error": found[3][:2000],
        "transport_error": family(found[3]) or family(text) or "other",
    }


_SPRING = re.compile(
    r"(?:Http(?:Client|Server)ErrorException|WebClientResponseException"
    r"|UnknownHttpStatusCodeException)(?:[$.]\w+)?: (\d{3}) ?([\w ]*?)(?:(?: from)? "
    rf"{_METHOD} (\S+))?(?:: |$|\n|,)"
)


def _spring(text: str) -> Call | None:
    found = _SPRING.search(text)
    if not found:
        return None
    tail = text[found.end() :].split("\n\tat ", 1)[0].strip()
    if tail[:2] == '"{' or tail[:2] == '"[' or tail[:2] == '"<':
        tail = tail[1 : tail.rfind('"')] if tail.endswith('"') else tail[1:]
    elif tail[:1] == "[" and tail[1:2] in "{[<n":
        tail = tail[1 : tail.rfind("]")] if "]" in tail else tail[1:]
    body = ABSENT if tail.startswith("no body") else read_body(tail, label=False)
    return {
        "role": "failure",
        "writer": "RestTemplate",
        "status": int(found[1]),
        "method": found[3],
        "url": found[4],
    } | answer(body)


_FEIGN = re.compile(rf"\[(\d{{3}})[^\]]*\] during \[{_METHOD}\] to \[([^\]]+)\](?: \[([^\]]+)\])?(?:: \[)?")
_FEIGN_OLD = re.compile(r"status (\d{3}) reading (\w+#\w+)\([^)]*\)(?:; content:\s*)?")


def _feign(text: str) -> Call | None:
    if found := _FEIGN.search(text):
        tail = text[found.end() :].split("\n\tat ", 1)[0]
        body = body_after(tail.rstrip().removesuffix("]"), 0) if text[found.end() - 1] == "[" else ABSENT
        return {
            "role": "exchange",
            "writer": "Feign",
            "status": int(found[1]),
            "method": found[2],
            "url": found[3],
            "client": found[4],
        } | answer(body)
    if found := _FEIGN_OLD.search(text):
        return {"role": "failure", "writer": "Feign", "status": int(found[1]), "client": found[2]} | answer(
            body_after(text, found.end())
        )
    return None


_JDK = re.compile(rf"Server returned HTTP response code: (\d{{3}}) for URL: ({_URL})|FileNotFoundException: ({_URL})")


def _jdk(text: str) -> Call | None:
    found = _JDK.search(text)
    if not found:
        return None
    status = int(found[1]) if found[1] else int(HTTPStatus.NOT_FOUND)
    return {"role": "exchange", "writer": "HttpURLConnection", "status": status, "url": found[2] or found[3]}


_GO = re.compile(r'(Get|Post|Put|Delete|Patch|Head) "(https?://[^"]+)": ([^\n]*)')


def _go(text: str) -> Call | None:
    found = _GO.search(text)
    return found and {
        "role": "exchange",
        "writer": "Go net/http",
        "method": found[1].upper(),
        "url": found[2],
        "error": found[3].rstrip('"}')[:2000],
        "transport_error": family(found[3].rstrip('"}')) or "other",
    }


_STREAM = re.compile(rf"\(({_URL})\): [Ff]ailed to open stream: ([^\n]*)")


def _stream(text: str) -> Call | None:
    found = _STREAM.search(text)
    if not found:
        return None
    call: Call = {"role": "exchange", "writer": "PHP streams", "url": found[1]}
    if status := re.search(r"HTTP/[\d.]+ (\d{3})", found[2]):
        return call | {"status": int(status[1])}
    error = re.sub(r" in (?:/|[A-Z]:\\).*$", "", found[2])
    return call | {"error": error, "transport_error": family(error) or "other"}


_NET = re.compile(r"Response status code does not indicate success: (\d{3}) \(")


def _net(text: str) -> Call | None:
    found = _NET.search(text)
    return found and {"role": "failure", "writer": ".NET HttpClient", "status": int(found[1])}


_PARSER = re.compile(
    r"Unexpected token '?<'?(?:, |[^\n]{0,40}?)\"(<.*?)\"?\.{3}(?: \"[^\n]*?)? is not valid JSON"
    r"|(?:[Rr]esponse|[Bb]ody|[Cc]ontent)[\w ]{0,20} (?:started|starts|began|begins) with:? ?(<[^\n]+)"
)


def _parser(text: str) -> Call | None:
    """A parser that quotes the beginning of an answer that was no JSON."""
    found = _PARSER.search(text)
    if not found:
        return None
    begin = (found[1] or found[2]).replace("\\r\\n", "\r\n").replace("\\n", "\n").replace('\\"', '"')
    return {"role": "failure", "response_body": begin, "response_body_state": "truncated"}


_RETURNED = re.compile(
    rf"HTTP/[\d.]+ (\d{{3}})[^\n\"]* returned for \"({_URL})\"|HTTP request returned status code (\d{{3}}):?"
)


def _returned(text: str) -> Call | None:
    """Symfony's and Laravel's HTTP clients."""
    found = _RETURNED.search(text)
    if not found:
        return None
    if found[1]:
        return {"role": "exchange", "writer": "Symfony HttpClient", "status": int(found[1]), "url": found[2]}
    return {"role": "failure", "writer": "Laravel Http", "status": int(found[3])} | answer(
        body_after(text, found.end())
    )


_READERS: tuple[tuple[str, Callable[[str], Call | None]], ...] = (
    ("resulted in a `", _guzzle),
    ("error response", _guzzle),
    ("Exception when calling", _generated),
    ("ConnectionPool(host=", _pool),
    ("after connection broken by", _retrying),
    (" Error: ", _raised),
    ("I/O error on", _spring_io),
    ("] during [", _feign),
    (" reading ", _feign),
    ("cURL error ", _curl),
    ("cURL Error", _curl),
    ("[curl] ", _curl),
    ("curl: (", _curl),
    ("CurlException", _curl),
    ("ErrorException", _spring),
    ("WebClientResponseException", _spring),
    ("HTTP response code: ", _jdk),
    ("FileNotFoundException: http", _jdk),
    ("ailed to open stream", _stream),
    (" returned for ", _returned),
    ("returned status code", _returned),
    ('Get "http', _go),
    ('Post "http', _go),
    ('Put "http', _go),
    ('Delete "http', _go),
    ('Patch "http', _go),
    ('Head "http', _go),
    ("ApiException", _generated),
    ("ApiError", _generated),
    ("Error calling ", _generated),
    ("Request failed with status code", read_node),
    ("Response code ", read_node),
    ("AxiosError", read_node),
    ("does not indicate success", _net),
    ("is not valid JSON", _parser),
    ("tarted with", _parser),
    ("tarts with", _parser),
    ("begins with", _parser),
)
_LOOSE = {" Error: ": "Client Error: ", " reading ": "; content:", " returned for ": '" returned for "'}
MARKS: tuple[str, ...] = (*dict.fromkeys(_LOOSE.get(mark, mark) for mark, _ in _READERS), "Server Error: ")
