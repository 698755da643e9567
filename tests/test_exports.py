"""The public names: what `__all__` says is what can be imported, typed, and described."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import openclaw_forensics
from openclaw_forensics import errors, exchanges
from openclaw_forensics.report.document import schema
from openclaw_forensics.report.registry import RENDERERS
from openclaw_forensics.result import Result
from openclaw_forensics.taxonomy import taxonomy

ROOT = Path(__file__).parent.parent


def test_every_public_name_exists() -> None:
    for name in openclaw_forensics.__all__:
        assert getattr(openclaw_forensics, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        _ = openclaw_forensics.analyse  # type: ignore[attr-defined]


def test_importing_the_package_is_cheap() -> None:
    probe = "import sys, openclaw_forensics; print({'polars', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_package_is_typed() -> None:
    assert (ROOT / "openclaw_forensics" / "py.typed").is_file()


def test_the_schema_names_the_document_and_is_the_shipped_one() -> None:
    assert set(schema()["properties"]) == set(Result.model_fields)
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "schemas.py"), "--check", str(ROOT / "docs" / "schemas")],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.returncode == 0


def test_every_problem_kind_stands_in_the_tree_of_errors() -> None:
    documented = {
        line.split()[0] for line in (errors.__doc__ or "").splitlines() if line.startswith("    ") and line.strip()
    }
    assert set(get_args(errors.ProblemKind)) <= documented


def test_every_raised_error_has_the_exit_code_that_is_documented() -> None:
    for kind in (errors.UsageError, errors.NothingReadable, errors.RuleError, errors.LeakError, errors.StateHeld):
        line = next(text for text in (errors.__doc__ or "").splitlines() if kind.__name__ in text)
        assert line.split(kind.__name__)[1].split()[0] == str(kind.exit_code)


def test_public_columns_have_a_dtype_and_no_double() -> None:
    assert list(exchanges.EXCHANGES) == list(dict.fromkeys([*exchanges.READ_COLUMNS, *exchanges.ANNOTATED_COLUMNS]))


def test_taxonomy_and_views_are_complete() -> None:
    known = taxonomy()
    assert {cause.party for cause in known.causes.values()} <= known.parties.keys()
    assert set(RENDERERS) == {".html", ".json", ".md", ".sarif", ".txt", ".xml"}
