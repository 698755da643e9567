"""The beginning of a pack: files that load and pass the lint, for their author to put real facts in."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from openclaw_forensics.errors import UsageError

_ID = re.compile(r"^[a-z][a-z0-9_]{1,40}$")

_PLATFORM = """\
# Replace every value; each fact names the page that says it and the day that page was read.
id = "{id}"
kind = "marketplace"   # marketplace, carrier or erp
name.en = "{name}"
name.zh = "{name}"
aliases = []
source = ["https://developers.{host}/"]
checked = {today}

[[hosts]]
pattern = "api.{host}"
environment = "production"
source = ["https://developers.{host}/"]
checked = {today}

[places]
app = ["request.query:app_key"]
shop = ["request.query:shop_id"]
token = ["request.bearer"]
object_id = ["request.json:/order_id"]

# How an answer says that something failed; the tests are run by `rules lint`.
[[envelope]]
id = "default"
code = ["response.json:/code"]
message = ["response.json:/message"]
request_id = ["response.json:/request_id"]
failed_when = [[{{ place = "response.json:/code", none_of = ["0"] }}]]
source = ["https://developers.{host}/"]
checked = {today}
[[envelope.test]]
request = {{ method = "POST", url = "https://api.{host}/orders" }}
response = {{ status = 200, body = '{{"code": "TOKEN_EXPIRED", "message": "expired", "request_id": "r1"}}' }}
expect = {{ error_code = "TOKEN_EXPIRED", error_message = "expired", request_id = "r1", failure = "body" }}
[[envelope.test]]
request = {{ method = "POST", url = "https://api.{host}/orders" }}
response = {{ status = 200, body = '{{"code": "0", "message": "ok", "request_id": "r2"}}' }}
expect = {{ failed = false }}
"""

_OPERATIONS = """\
[[operation]]
id = "orders.list"
name.en = "list orders"
name.zh = "拉取订单列表"
step = "order"
method = "POST"
path = "/orders"
source = ["https://developers.{host}/orders"]
checked = {today}
"""

_ERRORS = """\
# One row per code that the documentation lists: the code, what it means in the taxonomy, where that is said.
[[error]]
code = "TOKEN_EXPIRED"
cause = "auth.access_token_expired"
confidence = 0.8
source = ["https://developers.{host}/errors"]
checked = {today}
"""

_RULES = """\
# What a code alone cannot say. `rules try CAPTURE --pack {id}` shows what each condition was on real traffic.
[[rule]]
id = "{id}.token.missing"
cause = "auth.access_token_missing"
when = {{ status = 401, "request.header:Authorization|exists" = false }}
confidence = 0.8
source = ["https://developers.{host}/auth"]
checked = {today}
wrong_when.en = "The header was dropped between the client and the place of the recording."
wrong_when.zh = "请求头可能在客户端与录制点之间被去掉。"
title.en = "No access token was sent"
title.zh = "请求中没有访问令牌"
why.en = "The headers were recorded and hold no Authorization."
why.zh = "请求头已录制，其中没有 Authorization。"
[[rule.test]]
hit = {{ status = 401, "request.header:Authorization" = "" }}
[[rule.test]]
miss = {{ status = 401, "request.header:Authorization" = "Bearer abcdefgh" }}
"""

_FILES = {"platform.toml": _PLATFORM, "operations.toml": _OPERATIONS, "errors.toml": _ERRORS, "rules.toml": _RULES}


def begin(folder: Path, pack: str, today: date) -> list[Path]:
    """Write a new pack's files under `folder` and return them. Raises UsageError where it stands already."""
    if not _ID.match(pack):
        raise UsageError(f"{pack!r} is no pack id: small letters, digits and _ only, beginning with a letter")
    target = folder / pack
    if target.exists():
        raise UsageError(f"{target.as_posix()} stands already")
    host = f"{pack.replace('_', '-')}.example"
    written = []
    for name, text in _FILES.items():
        path = target / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            filled = text.format(id=pack, name=pack.replace("_", " ").title(), host=host, today=today.isoformat())
            path.write_text(filled, encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(f"{path.as_posix()} cannot be written: {error.strerror or error}") from error
        written.append(path)
    return written
