"""The verdict as SARIF 2.1.0 (OASIS, 2020): one result per root cause, at the lines that show it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from openclaw_forensics.report.catalogue import Lang
from openclaw_forensics.report.view import View
from openclaw_forensics.report.visible import one_line, visible
from openclaw_forensics.result import Evidence, FileProblem, InputFile, Result, RootCause

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_PLACES = 20


def render(result: Result, lang: Lang) -> str:
    """The SARIF log as JSON."""
    view = View(result, lang)
    unknown = _unexplained(view) if result.unexplained.failures else []
    run = {
        "tool": {"driver": _driver(view)},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": _notifications(result)}],
        "results": [_result(view, cause) for cause in result.root_causes] + unknown,
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return visible(json.dumps(log, ensure_ascii=False, indent=1, allow_nan=False)) + "\n"


def _driver(view: View) -> dict[str, Any]:
    tool = view.result.tool
    used = {c.cause for c in view.result.root_causes}
    used |= {"unknown.unclassified"} if view.result.unexplained.failures else set()
    rules = [{"id": cause, "shortDescription": {"text": view.cause(cause)}} for cause in sorted(used)]
    return {"name": tool.name, "version": tool.version, "rules": rules}


def _result(view: View, cause: RootCause) -> dict[str, Any]:
    places = [_location(item) for item in cause.evidence[:_PLACES]]
    steps = [view.pick(step.text) for step in cause.fix.steps]
    return {
        "ruleId": cause.cause,
        "level": _LEVELS[cause.severity],
        "message": {"text": view.pick(cause.summary)},
        "locations": places[:1],
        "relatedLocations": [{"id": n, **place} for n, place in enumerate(places[1:], 1)],
        "occurrenceCount": max(1, cause.failures + cause.explains + cause.affected + cause.records),
        "properties": {
            "party": cause.party,
            "origin": cause.origin,
            "confidence": round(cause.confidence, 4),
            "rootCause": cause.id,
            "platform": cause.platform,
            "shop": one_line(cause.shop) if cause.shop else None,
            "steps": steps,
        },
    }


def _unexplained(view: View) -> list[dict[str, Any]]:
    count = view.result.unexplained.failures
    text = view.say.plural("{n} failure matches no rule.", "{n} failures match no rule.", count)
    places = [_location(item) for item in view.result.unexplained.samples[:_PLACES]]
    return [
        {
            "ruleId": "unknown.unclassified",
            "level": "warning",
            "message": {"text": text},
            "locations": places[:1],
            "relatedLocations": [{"id": n, **place} for n, place in enumerate(places[1:], 1)],
            "occurrenceCount": count,
        }
    ]


def _uri(path: str) -> str:
    return quote(one_line(path), safe="/")


def _location(item: Evidence) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(item.file)}}
    if item.line is not None and item.line > 0:
        place["region"] = {"startLine": item.line}
        if item.quote:
            place["region"]["snippet"] = {"text": one_line(item.quote, 1000)}
    return {"physicalLocation": place}


def _notifications(result: Result) -> list[dict[str, Any]]:
    return [_notification(f, p) for f in result.input.files for p in f.problems][:1000]


def _notification(source: InputFile, problem: FileProblem) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(source.path)}}
    if problem.line is not None and problem.line > 0:
        place["region"] = {"startLine": problem.line}
    return {
        "level": "warning",
        "descriptor": {"id": problem.kind},
        "message": {"text": one_line(problem.message, 1000)},
        "locations": [{"physicalLocation": place}],
    }
