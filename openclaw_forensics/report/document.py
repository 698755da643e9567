"""The result as JSON, and the schema that other programs check it against."""

from __future__ import annotations

import json
import re
from typing import Any

from openclaw_forensics.result import Result

_SURROGATE = re.compile("[\ud800-\udfff]")


def render(result: Result) -> str:
    """The document on one line, in the order of its models; characters that UTF-8 cannot carry as ⟨U+D800⟩."""
    values = result.model_dump(mode="json", by_alias=True)
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _SURROGATE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    return Result.model_json_schema(mode="serialization", by_alias=True)
