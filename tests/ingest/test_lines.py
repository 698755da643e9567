"""Text is split at its line ends, also where it begins as a compressed stream would."""

from __future__ import annotations

import pytest

from openclaw_forensics.ingest.lines import text_lines
from openclaw_forensics.ingest.textlog import TextLogReader
from tests.ingest.logs import accounted, parts


@pytest.mark.parametrize("first", ["x^2 + 1", "x\x01 0", "plain", "", "xx"])
@pytest.mark.parametrize("end", ["", "\n"], ids=["open", "closed"])
def test_every_beginning_is_text(first: str, end: str) -> None:
    assert text_lines(f"{first}\nsecond{end}".encode()).to_list() == [first, "second"]


@pytest.mark.parametrize("first", ["x^2 + 1", "x\x01 0"])
def test_no_byte_is_lost_behind_such_a_beginning(first: str) -> None:
    text = f"{first}\n2024-05-01 10:00:00.120 ERROR [job-12] c.e.OrderClient - no mapping for SKU 7\n"
    found = parts(TextLogReader(), text)
    assert accounted(found) == len(text.encode())
    assert [r for part in found for r in part.records["message"]] == ["no mapping for SKU 7"]
