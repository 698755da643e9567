"""What a client library's error text says about the transport, and what belongs to a stack trace.

The families are those of the taxonomy's network causes. The innermost cause decides: Java's last `Caused by:`, the part
in `(Caused by …)` of requests, the rightmost part of a Go error.
"""

from __future__ import annotations

import re
from http import HTTPStatus

CURL_CODES = {
    5: "proxy", 6: "dns", 7: "connect", 16: "other", 18: "reset", 28: "timeout", 35: "tls", 51: "tls", 52: "reset",
    53: "tls", 54: "tls", 55: "reset", 56: "reset", 58: "tls", 59: "tls", 60: "tls", 77: "tls", 80: "tls", 83: "tls",
    90: "tls", 91: "tls", 92: "reset", 95: "reset", 97: "proxy",
}  # fmt: skip

# First match wins: a proxy's refusal before the status it names, a name that did not resolve before the connection.
_FAMILIES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (family, re.compile(pattern))
    for family, pattern in (
        (
            "proxy",
            r"from proxy after CONNECT|ProxyError|Cannot connect to proxy|Tunnel connection failed|tunnel through proxy|proxyconnect"
            r"|Proxy Authentication Required|tunneling socket could not|resolve proxy|ERR_PROXY|ERR_TUNNEL",
        ),
        (
            "dns",
            r"UnknownHostException|Could ?n[o']t resolve|[Nn]ame or service not known|getaddrinfo|ENOTFOUND|EAI_AGAIN|EAI_NONAME"
            r"|NameResolutionError|Failed to resolve|no such host|No such host is known|不知道这样的主机|nodename nor servname"
            r"|UnresolvedAddressException|Temporary failure in name resolution|ERR_NAME_NOT_RESOLVED|couldnt_resolve_host|dial tcp: lookup",
        ),
        (
            "tls",
            r"SSL(?:Handshake|PeerUnverified|Protocol)?(?:Exception|Error|EOFError|ZeroReturnError|CertVerificationError)|PKIX path|EPROTO"
            r"|CERTIFICATE_VERIFY_FAILED|certificate (?:problem|verify|has expired|is not trusted)|SSL[ _](?:connection|connect|certificate)"
            r"|SSL routines|alert handshake failure|tls: |x509: |SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET)|CERT_HAS_EXPIRED|ERR_TLS"
            r"|DEPTH_ZERO_SELF_SIGNED|AuthenticationException: .*(?:certificate|TLS|SSL)|The SSL connection could not|远程证书无效|wrong version number"
            r"|server gave HTTP response to HTTPS|ssl_connect_error|TLS handshake|handshake_failure",
        ),
        (
            "timeout",
            r"SocketTimeoutException|Read timed out|ReadTimeout|HttpTimeoutException|[Oo]peration timed out|[Rr]equest timed? ?out|ESOCKETTIMEDOUT"
            r"|timeout of \d+ ?ms exceeded|ECONNABORTED|context deadline exceeded|Client\.Timeout|HttpClient\.Timeout|TaskCanceledException"
            r"|TimeoutError|timeout awaiting|Socket timed out|ServerTimeoutError|PoolTimeout|operation_timedout|TimeoutException|Net::ReadTimeout"
            r"|ERR_TIMED_OUT|timed out after|请求超时|读取超时|read timeout|read operation timed out",
        ),
        (
            "connect",
            r"Connection refused|ConnectException|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|Failed to connect|couldn't connect|could not connect"
            r"|No route to host|ConnectTimeout|[Cc]onnect(?:ion)? timed out|ConnectTimeoutException|HttpConnectTimeoutException|ETIMEDOUT|i/o timeout"
            r"|actively refused|积极拒绝|连接方在一段时间后没有正确答复|NewConnectionError|Network is unreachable|HttpHostConnectException"
            r"|ConnectError|ClientConnectorError|ERR_CONNECTION_REFUSED|couldnt_connect|ERR_CONNECTION_TIMED_OUT|连接超时|连接被拒绝",
        ),
        (
            "reset",
            r"Connection reset|ECONNRESET|EPIPE|Broken pipe|socket hang up|RemoteDisconnected|Remote end closed|NoHttpResponse|failed to respond"
            r"|Empty reply|IncompleteRead|ChunkedEncodingError|ProtocolError|unexpected end of stream|Unexpected end of file from server"
            r"|Premature end of|header parser received no bytes|[Cc]onnection (?:was )?(?:aborted|closed|broken)|强迫关闭|response ended prematurely"
            r"|server closed idle|unexpected EOF|: EOF$|transfer closed with|ServerDisconnected|ConnectionAborted|got_nothing|recv_error"
            r"|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|forcibly closed|SocketException|连接被重置",
        ),
    )
)  # fmt: skip
_ANY = re.compile("|".join(pattern.pattern for _, pattern in _FAMILIES) + r"|[Cc]onnect")
_CONNECT_FIRST = re.compile(r"[Cc]onnect(?:ion)?[ _]?[Tt]imed? ?out|ConnectTimeout|HttpConnectTimeout|connect timeout|Connection timed out after")
_CAUSED = re.compile(r"(?:^|\n)Caused by: ([^\n]{1,2000})")
_INNER = re.compile(r"\(Caused by (.{1,4000})\)", re.S)

_QUALIFIER = r"[A-Za-z_$][\w$]*(?:\\{1,2}|\.|::)"
CLASS = re.compile(
    rf"(?<![\w$\\.])((?:{_QUALIFIER})*[A-Z][\w$]*(?:Exception|Error|Fault|Timeout|Throttled)|(?:{_QUALIFIER})+(?:Exception|Error))"
    r"(?:\$\w+)?(?=[\s:('\],.]|$)"
)
FRAME = re.compile(
    r"^\s*(?:at |#\d+ |File \"|\.\.\. \d+ (?:more|common)|Caused by: |--- End of|---> |from \S+:\d+:in )", re.M
)
_APP_FILE = re.compile(r"site-packages|dist-packages|/vendor/|\\vendor\\|node_modules|node:internal|\(internal/|/lib/python\d")


def family(text: str) -> str | None:
    """The transport error that `text` tells (exchanges.TransportError), None when it tells none."""
    text = text[:20_000]
    if not _ANY.search(text):
        return None
    inner = _INNER.search(text)
    causes = _CAUSED.findall(text)
    for part in ((inner[1],) if inner else ()) + tuple(reversed(causes[-3:])) + (text,):
        if found := _family(part):
            return found
    return None


def _family(text: str) -> str | None:
    if _CONNECT_FIRST.search(text) and not re.search("proxy", text, re.I):
        return "connect"
    for name, pattern in _FAMILIES:
        if pattern.search(text):
            return name
    return None


def is_stack(text: str) -> bool:
    """Whether the text holds frames of a stack trace."""
    return FRAME.search(text[:20_000]) is not None


def class_of(text: str) -> str | None:
    """The exception class that a text names: Java's outermost, Python's last raised."""
    head = text[:8000]
    if "Traceback (most recent call last)" in head:
        for line in reversed(text[:60_000].splitlines()):
            if not line[:1].isspace() and (found := CLASS.match(line) or re.match(r"([A-Za-z_][\w.]*)(?=:|$)", line)):
                return found[1]
    found = CLASS.search(head)
    return found[1].replace("\\\\", "\\") if found else None


_FRAME_LINE = re.compile(r"^[ \t]+(?:at [^\n{]*|File \"[^\n]*(?:\n[ \t]+[^\n]*)?|\.\.\. \d+ [^\n]*)(?:\n|$)", re.M)


def without_frames(text: str) -> str:
    """The text without the frames of Java, Node, .NET and Python: what was said, not where."""
    return _FRAME_LINE.sub("", text) if "\n" in text else text


_CALL = re.compile(r"\b([A-Z]\w*)\([^()\n]*\)\.(\w+)\(|\b([A-Za-z_]\w*)\.(\w+)\(")
_NODE_FRAME = re.compile(r"^\s*at (?:async )?([A-Z][\w$]*\.[\w$<>]+) \(([^)\n]*)\)", re.M)
_RUNTIME = re.compile(r"node:|internal/|[a-z_]+\.js:")
_PHP_FRAME = re.compile(r"^#\d+ [^\n:]*: ([\w\\]+(?:->|::)\w+)\(", re.M)
_NET_FRAME = re.compile(r"^\s+at ((?:[\w`]+\.)+[\w`<>]+)[\[(]", re.M)


def call_in(text: str) -> str | None:
    """The client call in a stack trace: class and method of the library frame nearest to the application.

    Python shows the code line of the application's last own frame; Node, PHP and .NET name the method.
    """
    text = text[:60_000]
    if "Traceback (most recent call last)" in text:
        return _python_call(text)
    for pattern in (_NODE_FRAME, _PHP_FRAME, _NET_FRAME):
        for found in pattern.finditer(text):
            if found.lastindex == 2 and _RUNTIME.match(found[2]):
                continue
            return found[1].replace("\\\\", "\\").replace(".<anonymous>", "")
    return None


def _python_call(text: str) -> str | None:
    own: str | None = None
    lines = text.splitlines()
    for index, line in enumerate(lines[:-1]):
        if line.lstrip().startswith('File "') and not _APP_FILE.search(line) and (found := _CALL.search(lines[index + 1])):
            own = f"{found[1] or found[3]}.{found[2] or found[4]}"
    return own


_REASONS = {status.phrase.lower(): status.value for status in HTTPStatus if status.value >= 400}


def status_of_reason(text: str) -> int | None:
    """The status whose reason phrase a text is exactly: `Bad Request` is 400."""
    return _REASONS.get(text.strip().strip(".").lower())
