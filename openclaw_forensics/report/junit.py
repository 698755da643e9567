"""The checks as JUnit XML: a rule that found a cause fails, a sound one passes, one without its columns is skipped."""

from __future__ import annotations

from markupsafe import Markup

from openclaw_forensics.report.catalogue import Lang
from openclaw_forensics.report.view import View
from openclaw_forensics.report.visible import visible
from openclaw_forensics.result import Result, RootCause

_CASE = Markup('  <testcase classname="{}" name="{}">{}</testcase>\n')
_FAILURE = Markup('<failure type="{}" message="{}">{}</failure>')
_OUT = Markup("<system-out>{}</system-out>")


def render(result: Result, lang: Lang) -> str:
    """The test suite. Warnings fail like errors; what healed by itself passes with its words."""
    view = View(result, lang)
    failing = [c for c in result.root_causes if c.severity != "info"]
    cases = [_cause(view, cause) for cause in result.root_causes]
    unknown = result.unexplained.failures
    if unknown:
        said = view.say.plural("{n} failure matches no rule.", "{n} failures match no rule.", unknown)
        failure = _FAILURE.format("unknown.unclassified", said, said)
        cases.append(_CASE.format("unknown.unclassified", "unexplained", failure))
    done = {(c.cause, c.rule) for c in result.root_causes}
    rest = [k for k in result.checks if k.result != "hit" and (k.cause, k.rule) not in done]
    skipped = sum(k.result == "not_applicable" for k in rest)
    for check in rest:
        body = Markup("<skipped/>") if check.result == "not_applicable" else Markup("")
        cases.append(_CASE.format(visible(check.cause), visible(check.rule), body))
    head = Markup(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<testsuite name="{}" tests="{}" failures="{}" errors="0" skipped="{}">\n'
    ).format(result.tool.name, len(cases), len(failing) + bool(unknown), skipped)
    return visible(str(head + Markup("").join(cases) + Markup("</testsuite>\n")))


def _cause(view: View, cause: RootCause) -> Markup:
    name = f"{cause.rule} {cause.platform or ''} {cause.shop or ''}".strip()
    said = view.pick(cause.summary)
    places = "\n".join(f"{e.file}:{e.line or e.locator or ''} {e.quote or ''}" for e in cause.evidence[:20])
    body = _OUT.format(visible(said))
    if cause.severity != "info":
        body = _FAILURE.format(cause.cause, visible(said), visible(f"{said}\n{places}"))
    return _CASE.format(visible(cause.cause), visible(name), body)
