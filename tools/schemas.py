"""Writes the JSON Schemas of every file that users write or programs read, from the models that check them.

python tools/schemas.py [docs/schemas]           write
python tools/schemas.py --check [docs/schemas]   exit 1 when a file is not what the models say
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, RootModel, create_model

from openclaw_forensics.diagnose.knowledge import Relations
from openclaw_forensics.diagnose.rule import Rule
from openclaw_forensics.ingest.catalogue import CaptureFile
from openclaw_forensics.ingest.lineformat import LineFormat
from openclaw_forensics.platforms.load import Gateway
from openclaw_forensics.platforms.model import Deprecation, ErrorRow, Operation, Platform, Webhooks
from openclaw_forensics.platforms.signature_model import Scheme
from openclaw_forensics.redact.names import _File as Redaction
from openclaw_forensics.result import Result
from openclaw_forensics.settings import Case, SecretsFile
from openclaw_forensics.summary import Summary
from openclaw_forensics.taxonomy import Cause, Origin, Party
from openclaw_forensics.words import Text

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Name of the schema, the files it is for, and the model of the whole file.
WHOLE: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ("platform", "rules/<pack>/platform.toml", Platform),
    ("webhooks", "rules/<pack>/webhooks.toml", Webhooks),
    ("format", "rules/formats/<name>.toml, and your own under --formats", LineFormat),
    ("captures", "rules/formats/captures.toml", CaptureFile),
    ("phrases", "rules/phrases.toml", RootModel[dict[str, Text]]),
    ("redaction", "rules/redaction.toml", Redaction),
    ("relations", "rules/relations.toml", Relations),
    ("case", "the file of --case", Case),
    ("secrets", "the file of --secrets", SecretsFile),
)
# Files that are a list of tables: their tables by name, each with its model.
LISTS: tuple[tuple[str, str, dict[str, type[BaseModel]]], ...] = (
    ("operations", "rules/<pack>/operations.toml", {"operation": Operation}),
    ("errors", "rules/<pack>/errors.toml", {"error": ErrorRow}),
    ("signature", "rules/<pack>/signature.toml", {"scheme": Scheme}),
    ("deprecations", "rules/<pack>/deprecations.toml", {"deprecation": Deprecation}),
    ("rules", "rules/<pack>/rules.toml and detectors.toml", {"rule": Rule}),
    ("gateway", "gateway.toml in a folder of --rules", {"gateway": Gateway}),
    ("taxonomy", "rules/taxonomy.toml", {"cause": Cause, "party": Party, "origin": Origin}),
)
OUTPUTS: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ("result", "the JSON document of analyze", Result),
    ("summary", "summary.json of scan", Summary),
)


def schemas() -> Iterator[tuple[str, str]]:
    """`(file name, text)` of every schema."""
    for name, what, model in WHOLE:
        yield f"{name}.json", _text(name, what, model.model_json_schema(by_alias=True))
    for name, what, tables in LISTS:
        fields: dict[str, Any] = {table: (tuple[model, ...], ()) for table, model in tables.items()}
        whole = create_model(f"{name.title()}File", __config__={"extra": "forbid"}, **fields)
        yield f"{name}.json", _text(name, what, whole.model_json_schema(by_alias=True))
    for name, what, model in OUTPUTS:
        yield f"{name}.json", _text(name, what, model.model_json_schema(mode="serialization", by_alias=True))


def _text(name: str, what: str, schema: dict[str, Any]) -> str:
    head = {"$schema": DIALECT, "title": name, "$comment": f"For {what}. Made by tools/schemas.py."}
    return json.dumps({**schema, **head}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check; the exit code."""
    check = "--check" in arguments
    rest = [a for a in arguments if a != "--check"]
    folder = Path(rest[0] if rest else "docs/schemas")
    stale = []
    for name, text in schemas():
        path = folder / name
        if check:
            if not path.is_file() or path.read_text("utf-8") != text:
                stale.append(path.as_posix())
        else:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    for name in stale:
        sys.stderr.write(f"{name} is not what the models say; run python tools/schemas.py\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
