"""One sentence per situation, and never more than the evidence carries."""

from __future__ import annotations

import pytest

from openclaw_forensics.report.catalogue import fill, speaker
from openclaw_forensics.report.sentences import Hints, root_cause_summary, verdict_summary
from openclaw_forensics.result import Confirm, Input, RootCause, Timezone
from openclaw_forensics.words import Text, same
from tests.report import documents
from tests.report.documents import LABELS, at

OF = Input(exchanges=400, failures=150, first_at=at(1), last_at=at(10), timezone=Timezone(name="UTC+8", assumed=False))
HINTS = Hints(
    code="invalid_grant",
    check=Text(en="Look up the token's age.", zh="查看令牌的签发时间。"),
    missing=Text(en="the token answer", zh="令牌应答"),
)


def cause(**changes: object) -> RootCause:
    return documents.token_cascade().root_causes[0].model_copy(update=changes)


@pytest.mark.parametrize(
    ("changes", "zh", "en"),
    [
        pytest.param(
            {"confidence": 0.97},
            "原因是刷新令牌已过期。需要 ERP 处理：",
            "failed for this reason: expired",
            id="certain",
        ),
        pytest.param({"confidence": 0.8}, "原因很可能是", "very likely because", id="very-likely"),
        pytest.param(
            {"confidence": 0.61},
            "也不能排除撤销授权。先由 ERP 核对：",
            "The first to check is the ERP: look up",
            id="likely",
        ),
        pytest.param({"confidence": 0.6}, "唯一的迹象是 invalid_grant", "stands for several causes", id="possible"),
        pytest.param({"confidence": 0.39}, "不足以说出原因", "too weak to name a cause", id="lead"),
        pytest.param(
            {"party": "undetermined"}, "没有录到令牌应答", "it lacks the token answer. Record that", id="undecided"
        ),
        pytest.param(
            {"ongoing": False, "recovered_at": at(9), "recovered_by": "change"},
            "17:00 起恢复（有人改动之后）。为避免再发生，ERP 需要",
            "succeed again since 17:00 (after a change). To prevent a repeat, the ERP needs to",
            id="recovered",
        ),
        pytest.param(
            {"last_good_at": None}, "最晚从 03-17 14:02 起", "By 17 Mar 14:02 UTC+8 at the latest", id="since"
        ),
        pytest.param(
            {"failures": 0, "explains": 0, "affected": 7}, "有 7 次成功调用受影响", "7 successful", id="affected"
        ),
        pytest.param({"failures": 0, "explains": 0, "records": 1}, "有 1 条日志记录", "1 log record", id="records"),
    ],
)
def test_the_pattern_follows_the_evidence(changes: dict[str, object], zh: str, en: str) -> None:
    said = root_cause_summary(cause(**changes), LABELS, OF, HINTS)
    assert zh in said.zh
    assert en in said.en


def test_the_check_is_taken_from_the_root_cause_itself() -> None:
    look = Text(en="record the redirect", zh="补录跳转")
    likely = cause(confidence=0.7, confirm=Confirm(steps=(look,)))
    open_ = cause(party="undetermined", confirm=Confirm(missing=Text(en="answer bodies", zh="应答正文")))
    assert "The first to check is the ERP: record the redirect." in root_cause_summary(likely, LABELS, OF).en
    assert "没有录到应答正文。补录后请再分析一次。" in root_cause_summary(open_, LABELS, OF).zh


@pytest.mark.parametrize("confidence", [0.2, 0.39])
def test_a_lead_names_no_cause(confidence: float) -> None:
    said = root_cause_summary(cause(confidence=confidence), LABELS, OF, HINTS)
    assert "刷新令牌" not in said.zh
    assert "refresh token" not in said.en


@pytest.mark.parametrize("confidence", [0.2, 0.5, 0.7, 0.9, 0.99])
def test_an_undetermined_party_is_never_told_to_act(confidence: float) -> None:
    said = root_cause_summary(cause(confidence=confidence, party="undetermined"), LABELS, OF, HINTS)
    assert "needs to act" not in said.en
    assert "需要" not in said.zh


def test_both_sides_of_a_platform_change_are_said() -> None:
    said = documents.new_field().root_causes[0].summary
    assert "变更来自平台，适配由 ERP 完成" in said.zh
    assert "announced 2026-02-01" in said.en


def test_an_unknown_announcement_is_not_called_unannounced() -> None:
    made = documents.new_field().root_causes[0]
    assert made.change is not None
    silent = made.model_copy(update={"change": made.change.model_copy(update={"announced_at": None})})
    said = root_cause_summary(silent, LABELS, OF, Hints(rules_version="2026.03.15"))
    assert "未找到公告，知识库 2026.03.15" in said.zh
    assert "unannounced" not in said.en


@pytest.mark.parametrize(
    ("name", "zh", "en"),
    [
        pytest.param("sound", "没有发现需要处理的问题", "No problem that needs action", id="P6"),
        pytest.param("self_healed", "有 3 次失败，都在 15 分钟内", "3 failures, all healed", id="P7"),
        pytest.param("nothing_read", "没有读到接口交互", "No exchange could be read", id="P8"),
        pytest.param("unknown_majority", "其中 140 次现有规则解释不了", "140 of 150 failures match no rule", id="P9"),
        pytest.param("several_causes", "发现 2 个彼此独立的问题", "2 independent problems", id="P13"),
        pytest.param(
            "deprecation", "将于 2026-09-30 停用（距抓包结束 197 天）", "197 days after this capture", id="P14"
        ),
        pytest.param("callback", "我方接收端 4 次没有按要求应答", "did not acknowledge 4 as required", id="P15"),
    ],
)
def test_the_whole_document_has_its_sentence(name: str, zh: str, en: str) -> None:
    said = verdict_summary(documents.DOCUMENTS[name]())
    assert zh in said.zh
    assert en in said.en


def test_a_slot_is_text_even_when_it_reads_like_a_slot() -> None:
    hostile = cause(shop="{since}{0.__class__}%s")
    assert "{since}{0.__class__}%s" in root_cause_summary(hostile, LABELS, OF).en


@pytest.mark.parametrize(
    ("message", "slots", "said"),
    [
        pytest.param("需要{party}处理", {"party": "ERP"}, "需要 ERP 处理", id="latin-between-han"),
        pytest.param("{platform} 店铺 {shop} 的", {"platform": "虾皮", "shop": "小店"}, "虾皮店铺小店的", id="han"),
        pytest.param("共 {n} 次", {"n": 12345}, "共 12,345 次", id="number"),
        pytest.param("原因：{a}。", {"a": "x"}, "原因：x。", id="full-width"),
        pytest.param("{a}（{b}）", {"a": "ERP", "b": "甲"}, "ERP（甲）", id="bracket"),
    ],
)
def test_chinese_is_spaced_by_what_meets(message: str, slots: dict[str, object], said: str) -> None:
    assert fill("zh", message, slots) == said


def test_texts_fill_slots_in_their_own_language() -> None:
    assert fill("en", "for {x}", {"x": Text(en="one", zh="一")}) == "for one"


def test_plural_forms() -> None:
    say = speaker("en").plural
    assert say("{n} file", "{n} files", 1) == "1 file"
    assert say("{n} file", "{n} files", 2) == "2 files"


def test_a_summary_does_not_read_itself() -> None:
    first = root_cause_summary(cause(summary=same("x")), LABELS, OF)
    assert first == root_cause_summary(cause(summary=same("y")), LABELS, OF)
