"""Words for the ids of one document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openclaw_forensics.platforms.annotate import CALLBACK_OPERATION
from openclaw_forensics.platforms.load import PackSet
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.result import Label, Labels
from openclaw_forensics.taxonomy import taxonomy
from openclaw_forensics.words import Text


def labels(
    causes: Iterable[str], operations: Iterable[tuple[str | None, str]], platforms: Iterable[str], packs: PackSet,
    loaded: Mapping[str, Pack],
) -> Labels:  # fmt: skip
    """Labels for the causes, operations `(platform, id)` and platforms that a document names."""
    known = taxonomy()
    return Labels(
        causes={c: _label(known.causes[c].name, known.causes[c].plain) for c in sorted(set(causes))},
        parties={p.id: _label(p.name, p.plain) for p in known.parties.values()},
        origins={o.id: _label(o.name, o.name) for o in known.origins.values()},
        operations=_operations(operations, loaded),
        platforms={p: _platform(packs, p) for p in sorted(set(platforms)) if p in packs.heads},
    )


def _label(name: Text, plain: Text) -> Label:
    return Label(name=name, plain=plain)


def _platform(packs: PackSet, ident: str) -> Label:
    head = packs.heads[ident].platform
    return _label(head.name, head.plain or head.name)


def _operations(wanted: Iterable[tuple[str | None, str]], loaded: Mapping[str, Pack]) -> dict[str, Label]:
    found: dict[str, Label] = {}
    for platform, name in sorted(set(wanted), key=str):
        pack = loaded.get(platform or "")
        if pack is None:
            continue
        operation = next((o for o in pack.operations if o.id == name), None)
        topics = pack.webhooks.topics if pack.webhooks is not None else ()
        topic = next((t for t in topics if f"{CALLBACK_OPERATION}.{t.id}" == name), None)
        if operation is not None:
            found[name] = _label(operation.name, operation.plain or operation.name)
        elif topic is not None:
            found[name] = _label(topic.name, topic.name)
    return found
