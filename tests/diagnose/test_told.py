"""Answers that only a log record quotes: what each client makes of one body, and a retry that passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_forensics.analysis import Analysis, read_capture
from openclaw_forensics.platforms.load import load
from openclaw_forensics.result import Result
from openclaw_forensics.selection import select
from openclaw_forensics.settings import Settings

CALL = "[2026-04-02 10:01:11] production.INFO: GET https://api.lazada.com.ph/rest/orders/get\n"
AGAIN = "[2026-04-02 10:01:13] production.INFO: GET https://api.lazada.com.ph/rest/orders/get 200\n"
BODY = '{"code":"ApiCallLimit","type":"ISP","message":"This ban will last 1 seconds","request_id":"0ba9"}'


def analysed(folder: Path, text: str) -> Result:
    path = folder / "erp.log"
    path.write_text(text, encoding="utf-8", newline="\n")
    packs, settings = load(), Settings(platforms=("lazada",))
    capture = read_capture([str(path)], settings, packs)
    return Analysis(settings, packs, capture, select(capture.exchanges, capture.records, settings)).result


@pytest.mark.parametrize(
    "said",
    [
        f"lazada error: {BODY}",
        f"orders job gave up after {BODY} (attempt 1)",
        "lazada error: {'code': 'ApiCallLimit', 'message': 'This ban will last 1 seconds'}",
        "lazada error code=ApiCallLimit, message=This ban will last 1 seconds",
    ],
    ids=["json", "in a sentence", "python repr", "pairs"],
)
def test_a_quoted_answer_is_looked_up(tmp_path: Path, said: str) -> None:
    result = analysed(tmp_path, f"{CALL}[2026-04-02 10:01:11] production.ERROR: {said}\n")
    assert result.verdict is not None
    assert (result.verdict.cause, result.verdict.party) == ("rate.throttled", "erp")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("lazada error [ApiCallLimit_x] This ban will last 1 seconds", False),
        ("Lazada API error [isv.appkey-not-exists] odd words", False),
        ("seller api error [4138] System is under maintenance", False),
    ],
    ids=["unknown code", "a hyphen", "a number too short to be a code"],
)
def test_a_word_in_brackets_is_no_code_by_itself(tmp_path: Path, said: str, found: bool) -> None:
    result = analysed(tmp_path, f"{CALL}[2026-04-02 10:01:11] production.ERROR: {said}\n")
    assert (result.verdict is not None) is found


def test_a_code_in_brackets_is_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "erp.log"
    path.write_text(
        "[2026-05-12 10:00:05] production.ERROR: Shopee API error [error_permission] Your App does not have permission "
        "to call this API. url=https://partner.shopeemobile.com/api/v2/ads/get_total_balance\n",
        encoding="utf-8",
        newline="\n",
    )
    packs, settings = load(), Settings(platforms=("shopee",))
    capture = read_capture([str(path)], settings, packs)
    result = Analysis(settings, packs, capture, select(capture.exchanges, capture.records, settings)).result
    assert result.verdict is not None
    assert result.verdict.cause == "auth.permission_missing"


def test_a_retry_that_passes_leaves_nothing_to_do(tmp_path: Path) -> None:
    said = f"[2026-04-02 10:01:11] production.WARNING: lazada error: {BODY}, retry in 2 s\n"
    assert analysed(tmp_path, CALL + said + AGAIN).verdict is None


def test_the_same_without_a_retry_stands(tmp_path: Path) -> None:
    said = f"[2026-04-02 10:01:11] production.WARNING: lazada error: {BODY}, retry in 2 s\n"
    assert analysed(tmp_path, CALL + said).verdict is not None


def test_other_json_in_a_loud_record_is_no_answer(tmp_path: Path) -> None:
    said = '[2026-04-02 10:01:11] production.WARNING: odd note {"note":"error 403","code":"X1","qty":2}\n'
    assert analysed(tmp_path, CALL + said).verdict is None
