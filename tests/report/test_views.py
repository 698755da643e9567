"""The other views: JSON, SARIF, JUnit, Markdown, and the registry that picks them."""

from __future__ import annotations

import json
from xml.dom import minidom

import pytest

from openclaw_forensics.errors import UsageError
from openclaw_forensics.report import document, junit, markdown, sarif
from openclaw_forensics.report.registry import RENDERERS, renderer
from openclaw_forensics.result import Result
from tests.report.documents import DOCUMENTS, token_cascade
from tests.report.hostile import HOSTILE, with_text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_json_reads_back_as_the_same_document(name: str) -> None:
    result = DOCUMENTS[name]()
    assert Result.model_validate_json(document.render(result)) == result


def test_json_is_one_line_of_utf_8_with_the_contract_s_names() -> None:
    text = document.render(token_cascade())
    assert text.count("\n") == 1
    assert '"path":{"from":"erp","to":"platform","broken_at":null}' in text
    assert "刷新令牌" in text


def test_json_survives_what_utf_8_cannot_carry() -> None:
    document.render(with_text(HOSTILE)).encode("utf-8")


def test_the_schema_names_every_top_level_key() -> None:
    assert set(document.schema()["properties"]) == set(Result.model_fields)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_sarif_has_one_result_per_cause_with_its_lines(name: str) -> None:
    result = DOCUMENTS[name]()
    log = json.loads(sarif.render(result, "en"))
    run = log["runs"][0]
    assert log["version"] == "2.1.0"
    unknown = ["unknown.unclassified"] if result.unexplained.failures else []
    assert [r["ruleId"] for r in run["results"]] == [c.cause for c in result.root_causes] + unknown
    assert {r["ruleId"] for r in run["results"]} <= {r["id"] for r in run["tool"]["driver"]["rules"]}
    for made, cause in zip(run["results"], result.root_causes, strict=False):
        region = made["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] == cause.evidence[0].line


@pytest.mark.parametrize("make", [pytest.param(DOCUMENTS[n], id=n) for n in DOCUMENTS])
def test_junit_counts_what_it_holds(make: object) -> None:
    result = make() if callable(make) else None
    assert isinstance(result, Result)
    suite = minidom.parseString(junit.render(result, "zh")).documentElement
    assert suite is not None
    assert len(suite.getElementsByTagName("testcase")) == int(suite.getAttribute("tests"))
    assert len(suite.getElementsByTagName("failure")) == int(suite.getAttribute("failures"))
    assert len(suite.getElementsByTagName("skipped")) == int(suite.getAttribute("skipped"))


def test_junit_survives_hostile_text() -> None:
    minidom.parseString(junit.render(with_text(HOSTILE), "zh").encode("utf-8"))


def test_markdown_escapes_what_a_capture_holds() -> None:
    text = markdown.render(with_text(HOSTILE), "zh").split("```")[0]
    assert "<script>" not in text
    assert "\\<script\\>" in text


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("suffix", RENDERERS)
def test_every_view_renders_every_document_twice_the_same(name: str, suffix: str) -> None:
    result = DOCUMENTS[name]()
    view = renderer(f"out/report{suffix}")
    assert view(result, "zh", f"report{suffix}") == view(DOCUMENTS[name](), "zh", f"report{suffix}")


@pytest.mark.parametrize("name", ["report", "report.pdf", "report.HTMLX"])
def test_an_unknown_suffix_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match=r"known are \.html"):
        renderer(name)
