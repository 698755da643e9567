"""One exchange in full: its command line, its stack, its marks."""

from __future__ import annotations

import shlex

import pytest

from openclaw_forensics.report.blocks import Blocks
from openclaw_forensics.report.card import curl, frames
from openclaw_forensics.report.catalogue import speaker
from openclaw_forensics.result import Mark, Message
from openclaw_forensics.words import same
from tests.report.documents import at, exchange, token_cascade


def test_curl_is_a_command_with_placeholders() -> None:
    words = shlex.split(curl(token_cascade().exchanges[1]).replace("\\\n", " "))
    assert words[:4] == ["curl", "-X", "POST", "https://api.example.com/auth/o2/token"]
    assert "grant_type=refresh_token&refresh_token=<refresh_token#1>&client_id=amzn1.app.7" in words
    assert "refresh_token=refresh_token#1" not in " ".join(words)


def test_curl_quotes_what_a_shell_would_read() -> None:
    odd = exchange("q", at(1), url="https://a.example/$(id)';`ls`")
    assert shlex.split(curl(odd).replace("\\\n", " "))[3] == "https://a.example/$(id)';`ls`"


def test_curl_leaves_out_a_body_that_was_not_recorded() -> None:
    assert "--data" not in curl(exchange("q", at(1), request=Message()))


@pytest.mark.parametrize(
    ("stack", "folded"),
    [
        pytest.param("E\n\tat a.b.C(C.java:1)\n\tat java.util.X(X.java:2)\n\tat okhttp3.Y(Y.java:3)", [2], id="java"),
        pytest.param(
            '  File "/srv/erp/job.py", line 1\n  File "/x/site-packages/a.py", line 2\n'
            '  File "/x/site-packages/b.py", line 3',
            [2],
            id="python",
        ),
        pytest.param("E\n\tat java.util.X(X.java:2)\n\tat a.b.C(C.java:1)", [], id="a-single-frame-stays"),
    ],
)
def test_library_frames_are_folded(stack: str, folded: list[int]) -> None:
    assert [len(group.lines) for group in frames(stack) if group.library] == folded
    assert "\n".join(line for group in frames(stack) for line in group.lines) == stack


@pytest.mark.parametrize(
    ("pointer", "missing", "block", "line"),
    [
        pytest.param("/request/headers/accept", False, "request headers", "Accept: */*", id="header-without-case"),
        pytest.param("/request/headers/Authorization", True, "request headers", "⟨missing Authorization⟩", id="ghost"),
        pytest.param("/request/query/sign", False, "request line", "GET https://a.example/?a=1&sign=x", id="query"),
        pytest.param("/response/status", False, "status line", "200", id="status"),
        pytest.param("/response/body/note", False, "answer body", '  "note": "-"', id="body"),
        pytest.param("/response/body/deep/er", True, "answer body", "    ⟨missing er⟩", id="ghost-of-no-parent"),
    ],
)
def test_marks_find_their_place(pointer: str, missing: bool, block: str, line: str) -> None:
    shown = exchange("m", at(1), method="GET", url="https://a.example/?a=1&sign=x")
    marked = shown.model_copy(update={"marks": (Mark(pointer=pointer, kind="k", missing=missing, why=same("why")),)})
    excerpt = Blocks(marked, speaker("en")).excerpts()[0]
    marked_lines = ["".join(r.text for r in one.runs) for one in excerpt.lines if one.mark]
    assert (excerpt.name, marked_lines) == (block, [line])


def test_a_mark_beyond_the_shown_part_still_has_its_excerpt() -> None:
    body = "[" + "1," * 20_000 + '{"late":2}]'
    shown = exchange("m", at(1), response=Message(body=body, body_state="recorded"))
    mark = Mark(pointer="/response/body/20000/late", kind="k", why=same("why"))
    blocks = Blocks(shown.model_copy(update={"marks": (mark,)}), speaker("en"))
    assert '"late": 2' in "".join(r.text for one in blocks.excerpts()[0].lines for r in one.runs)
    assert "more lines are left out" in blocks.response[2].cut
