"""The HTML report: one file that needs no network and is complete without scripts and without styles."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import PurePath

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from openclaw_forensics.report.catalogue import Lang, Speaker
from openclaw_forensics.report.compiled import Compiled
from openclaw_forensics.report.page import FULL, Page
from openclaw_forensics.report.visible import one_line, visible
from openclaw_forensics.resources import templates_dir
from openclaw_forensics.result import Result

LIMIT = 1024 * 1024  # bytes; mail and ticket systems refuse more, or show nothing of it


def csp_hash(text: str) -> str:
    """The source expression that allows exactly this inline style or script (CSP level 3, section 2.3.1)."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii") + "'"


def css_string(text: str) -> str:
    """A CSS string that holds `text` whatever it is: all but letters and digits as escapes (CSS Syntax 3, 4.3.7)."""
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text) + '"'


@functools.cache
def environment(lang: Lang) -> Environment:
    """The templates with the words of one language; everything is escaped unless it is Markup."""
    made = Environment(
        loader=FileSystemLoader(templates_dir()),
        bytecode_cache=Compiled(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    say = Speaker(lang, markup=True)
    made.globals.update(_=say, ngettext=say.plural, lang=lang)
    return made


@functools.cache
def asset(name: str) -> str:
    """A style sheet or script of ours."""
    return (templates_dir() / name).read_text("utf-8").strip()


def assemble(template: str, lang: Lang, name: str, foot: str, **values: object) -> str:
    """A page of ours around a template: style, script, and the policy that allows exactly these two."""
    label = css_string(one_line(f"{name} · {foot}", 160))
    style = f"{asset('report.css')}\n@page{{@bottom-left{{content:{label}}}}}"
    script = asset("report.js")
    policy = (
        f"default-src 'none'; style-src {csp_hash(style)}; script-src {csp_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    # Ours, and free of "</": neither comes from a capture.
    page = {"style": Markup(style), "script": Markup(script), "policy": policy, "name": name}  # noqa: S704
    # What a template may have let through of hidden characters ends here; our own text holds none.
    return visible(environment(lang).get_template(template).render(**page, **values))


def render(result: Result, lang: Lang, name: str) -> str:
    """The report as a page of at most 1 MB; `name` is its file name, printed at the foot.

    What was left out is counted on the page.
    """
    foot = f"{result.tool.name} {result.tool.version} · {result.tool.rules_version}"
    for full in (FULL, 6, 3, 1, 0):
        text = assemble("report.html.j2", lang, PurePath(name).name, foot, page=Page(result, lang, full))
        if len(text.encode("utf-8")) <= LIMIT:
            break
    return text
