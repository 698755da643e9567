"""The same captures as other programs would have saved them: with a mark, other line ends, another charset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.samples.shelf import FAULTY, FOLDERS, analysis_of, captures, result_of, verdict_of

TEXT = (".log", ".jsonl", ".har")
MARK = "编码"  # a line that only fits the charset it is written in


def _crlf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _bom(data: bytes) -> bytes:
    return b"\xef\xbb\xbf" + data


def _gbk(data: bytes) -> bytes:
    """As an editor in China saves it, with a remark of whoever saved it."""
    text = data.decode()
    last = text.rstrip("\n").rpartition("\n")[2]
    stamp = last.split(" INFO ")[0].split(" - ")[0][:29]
    return f"{text}{stamp} - note - INFO - {MARK}\n".encode("gbk")


VARIANTS: dict[str, tuple[Callable[[bytes], bytes], tuple[str, ...]]] = {
    "bom": (_bom, TEXT),
    "crlf": (_crlf, TEXT),
    "utf-16": (lambda data: data.decode().encode("utf-16"), (".log", ".jsonl")),
    "gbk": (_gbk, (".log",)),
}


def _applies(variant: str, path: Path) -> bool:
    return path.suffix in VARIANTS[variant][1] and (variant != "gbk" or path.name.startswith("erp"))


def _worth(name: str, variant: str) -> bool:
    """UTF-16 only for the faulty ones: the healthy ones are of the same formats."""
    return (variant != "utf-16" or name in FAULTY) and any(_applies(variant, path) for path in captures(name))


CASES = [
    pytest.param(name, variant, id=f"{name}-{variant}")
    for name in FOLDERS
    for variant in VARIANTS
    if _worth(name, variant)
]


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_same_verdict_and_no_problem(name, variant, tmp_path):
    change = VARIANTS[variant][0]
    for path in captures(name):
        data = path.read_bytes()
        (tmp_path / path.name).write_bytes(change(data) if _applies(variant, path) else data)

    result = analysis_of([tmp_path]).result

    assert verdict_of(result) == verdict_of(result_of(name))
    assert result.input.failures == result_of(name).input.failures
    assert [p for f in result.input.files for p in f.problems] == []
