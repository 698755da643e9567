"""Where the bytes went is printed and shown, and a capture without an exchange says what was looked at."""

from __future__ import annotations

import re

import pytest

from openclaw_forensics.report import account, html, sentences, terminal
from openclaw_forensics.report.catalogue import speaker
from openclaw_forensics.result import FileProblem, Input, InputFile, Result
from tests.report.documents import token_cascade

LOG = InputFile(
    path="a.log",
    format="textlog",
    bytes=1200,
    balance={
        "exchanges": 900,
        "records": 100,
        "irrelevant: blank line": 50,
        "irrelevant: below WARN": 130,
        "problems": 20,
    },
)
SUM = "bytes read 1,200 = exchanges 900 + log records 100 + set aside 180 + not understood 20"


def of(*files: InputFile) -> Result:
    return token_cascade().model_copy(update={"input": Input(files=files), "verdict": None})


def test_the_sum_is_on_the_terminal_and_on_the_page() -> None:
    result = of(LOG)
    assert SUM in " ".join(text for text, _ in terminal.lines(result, "en"))
    page = re.sub("<[^>]+>", "", html.render(result, "en", "report.html"))
    assert SUM in page
    assert "below WARN 130" in page


def test_reasons_stand_by_weight() -> None:
    assert account.set_aside(LOG) == [("below WARN", 130), ("blank line", 50)]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        pytest.param(InputFile(path="a.log", bytes=0), "a.log is empty", id="empty"),
        pytest.param(InputFile(path="a.bin", bytes=9), "a.bin: in no known format", id="no-problem-told"),
        pytest.param(
            InputFile(path="a.pcap", bytes=9, problems=(FileProblem(kind="unsupported", message="export it as HAR"),)),
            "a.pcap: export it as HAR",
            id="refused",
        ),
        pytest.param(
            InputFile(path="a.log", format="textlog", bytes=90, balance={"irrelevant: below WARN": 70, "problems": 20}),
            "a.log reads as textlog; 70 of 90 bytes: below WARN",
            id="read-in-vain",
        ),
    ],
)
def test_what_became_of_a_file_without_an_exchange(file: InputFile, said: str) -> None:
    assert account.fates([file], speaker("en")) == [said]
    assert said in sentences.verdict_summary(of(file)).en
