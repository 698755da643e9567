"""Redaction of the whole document: exchanges part by part in order, then every other text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw_forensics.document.pretty import layout
from openclaw_forensics.platforms.load import PackSet
from openclaw_forensics.platforms.masks import fingerprint
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.redact.names import names
from openclaw_forensics.redact.texts import Texts
from openclaw_forensics.redact.vault import Vault, finish, scrub
from openclaw_forensics.result import Redaction, Result
from openclaw_forensics.settings import Settings
from openclaw_forensics.table import Table

# Parts of the document that hold our own words, ids and paths, and nothing that was captured.
_OURS = frozenset({"tool", "labels", "checks", "blind", "schema_version", "redaction"})
_KEEP = frozenset({"id", "exchange", "locator", "file", "path", "sha256", "rule", "cause", "party", "origin", "pointer",
                   "kind", "role", "root_cause", "platform", "operation", "direction"})  # fmt: skip
_COMPARED = frozenset({"pointer", "failing", "good"})


class Redacted:
    """The redacted document with the vault that the outputs are checked against."""

    def __init__(self, result: Result, vault: Vault) -> None:
        self.result, self.vault = result, vault


def redact(
    result: Result, exchanges: Table, loaded: Mapping[str, Pack], packs: PackSet, settings: Settings,
    key: bytes = b"",
) -> Redacted:  # fmt: skip
    """Hide credentials and personal data in `result`; `key` is the run's fingerprint key, to name token lives."""
    vault = Vault()
    if settings.no_redact:
        return Redacted(result, vault)
    known = names(head.platform for head in packs.heads.values())
    vault = Vault(known.prefixes)
    worker = _Worker(Texts(known, vault), vault)
    for secret in settings.secrets:
        vault.name(secret.kind, secret.value.get_secret_value())
    _hidden_everywhere(result, worker)  # a first pass learns what is secret: it may be named late and stand early
    vault.hidden.clear()
    document = _hidden_everywhere(result, worker)
    if settings.hide_ids:
        document = _without_ids(document, exchanges, vault, worker)
    _name_tokens(document, vault, key)
    document["redaction"] = Redaction(
        hidden=dict(sorted(vault.hidden.items())), ids_hidden=settings.hide_ids
    ).model_dump()
    return Redacted(Result.model_validate(document), vault)


def _hidden_everywhere(result: Result, worker: _Worker) -> dict[str, Any]:
    """The document with everything known so far hidden, exchanges first and in order."""
    document: dict[str, Any] = result.model_dump(mode="python", by_alias=False)
    document["exchanges"] = [worker.exchange(x) for x in document["exchanges"]]
    for part, value in document.items():
        if part != "exchanges" and part not in _OURS:
            document[part] = worker.walk(value)
    return document


class _Worker:
    def __init__(self, texts: Texts, vault: Vault) -> None:
        self._texts, self._vault = texts, vault

    def plain(self, text: str) -> str:
        """A text without what is hidden, marks taken out."""
        return finish(self._texts.hide(scrub(text)))[0]

    def walk(self, node: Any, key: str = "") -> Any:
        """Every captured string below `node`."""
        if isinstance(node, str):
            return node if key in _KEEP else self.plain(node)
        if isinstance(node, dict):
            told = self._compared(node) if node.keys() >= _COMPARED else {}
            return {k: self.walk(v, k) for k, v in node.items() if k not in told} | told
        if isinstance(node, list | tuple):
            return [self.walk(v, key) for v in node]
        return node

    def _compared(self, node: dict[str, Any]) -> dict[str, Any]:
        """Both values of a difference: their place tells what they are, as their names do in the message."""
        pointer = node["pointer"]
        values = {side: node[side] for side in ("failing", "good") if isinstance(node[side], str)}
        return {side: finish(self._texts.at(pointer, scrub(value)))[0] for side, value in values.items()}

    def exchange(self, view: dict[str, Any]) -> dict[str, Any]:
        """One exchange, its headers and bodies with the places where something was hidden."""
        for side in ("request", "response"):
            view[side] = self._message(view[side])
        rest = {k: v for k, v in view.items() if k not in ("request", "response", "path", "sources")}
        shown: dict[str, Any] = view | self.walk(rest)
        return shown

    def _message(self, message: dict[str, Any]) -> dict[str, Any]:
        hidden: list[dict[str, Any]] = []
        if message["headers"] is not None:
            headers = []
            for number, (name, value) in enumerate(message["headers"]):
                text, places = finish(self._texts.value(name, scrub(value)))
                headers.append((scrub(name), text))
                hidden += self._hidden(places, f"/headers/{number}")
            message["headers"] = headers
        if message["body"] is not None:
            marked = self._texts.hide(scrub(message["body"]))
            opened = message["decrypted_with"] is not None  # then it is not the body laid out
            decoded = layout(marked) if message["decoded"] is not None and not opened else None
            message["body"], places = finish(marked)
            hidden += self._hidden(places, "/body")
            if message["decoded"] is not None:
                text, places = finish(decoded if decoded is not None else self._texts.hide(scrub(message["decoded"])))
                message["decoded"] = text
                hidden += self._hidden(places, "/decoded")
        return message | {"hidden": hidden}

    def _hidden(self, places: list[tuple[int, int, str]], pointer: str) -> list[dict[str, Any]]:
        return [
            {"pointer": pointer, "start": a, "end": b, "name": n, "length": self._vault.lengths.get(n)}
            for a, b, n in places
        ]


def _without_ids(document: dict[str, Any], exchanges: Table, vault: Vault, worker: _Worker) -> dict[str, Any]:
    """Shop, order and request ids as pseudonyms too."""
    for kind, column in (("shop", "shop"), ("order", "object_id"), ("request_id", "request_id"), ("app", "app")):
        for value in exchanges.column(column).drop_nulls().unique(maintain_order=True):
            vault.name(kind, value)
    for part, value in document.items():
        if part not in _OURS:
            document[part] = _deep(value, lambda t: finish(vault.replace_known(t))[0])
    return document


def _deep(node: Any, change: Any) -> Any:
    if isinstance(node, str):
        return change(node)
    if isinstance(node, dict):
        return {k: _deep(v, change) for k, v in node.items()}
    if isinstance(node, list | tuple):
        return [_deep(v, change) for v in node]
    return node


def _name_tokens(document: dict[str, Any], vault: Vault, key: bytes) -> None:
    """Token lives are known by fingerprint; they take the pseudonym of the value where one was shown."""
    by_mark = {fingerprint(value, key): name for value, name in vault.values()}
    for cause in document["root_causes"]:
        for token in (cause["details"] or {}).get("tokens") or ():
            kind, _, mark = token["name"].partition(":")
            token["name"] = by_mark.get(mark) or vault.name(kind, mark)
