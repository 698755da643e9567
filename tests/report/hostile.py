"""The token cascade with every captured text replaced: hostile in one document, harmless in its twin."""

from __future__ import annotations

from openclaw_forensics.result import Result
from tests.report.documents import token_cascade

HOSTILE = (
    "\"'><img src=x onerror=alert(1)></style></pre><script>alert(2)</script>]]>\x00\u202e\u200b{{7*7}}{0}%s\ud800&lt;`|"
)
HARMLESS = (
    "plain words of just about the same length as the hostile ones, so that cuts fall alike in both texts and forms xx"
)

# What a capture or a case can put there. Ids that our own code makes (rc1, causes, parties) are not among them.
FREE = {
    "path", "file", "url", "quote", "message", "error_code", "error_message", "request_id", "object_id", "shop", "app",
    "host", "exit_address", "en", "zh", "writer", "format", "locator", "raw_stamp", "stack", "transport_error_text",
    "state_reason", "failing", "good", "name", "symptom", "erp", "method", "client_address", "announced_at",
}  # fmt: skip


def _replace(value: object, key: str, tail: str) -> object:
    if isinstance(value, dict):
        if set(value) == {"from", "to", "broken_at"}:
            return value
        return {k: _replace(v, k, tail) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_replace(v, key, tail) for v in value]
    if not isinstance(value, str):
        return value
    if key == "headers":
        return value + tail
    if key == "body":
        inside = tail.replace("\\", "\\\\").replace('"', '\\"')
        return value.replace('"note": "-"', f'"note": "{inside}"')
    return value + tail if key in FREE else value


def with_text(tail: str) -> Result:
    """The cascade with `tail` behind every captured text."""
    values = token_cascade().model_dump(by_alias=True)
    contrast = values["root_causes"][0]["contrast"]
    made = _replace(values, "", tail)
    assert isinstance(made, dict)
    # These two name exchanges, although other fields of their name hold captured text.
    made["root_causes"][0]["contrast"] |= {"failing": contrast["failing"], "good": contrast["good"]}
    return Result.model_validate(made)
