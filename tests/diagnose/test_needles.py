"""Words without which a pattern cannot match."""

from __future__ import annotations

import re

import pytest

from openclaw_forensics.diagnose.needles import may_match, needles

PATTERNS = [
    pytest.param("invalid timestamp", ("invalid timestamp",), id="plain"),
    pytest.param(r"no\s+Such\s+shop", ("such",), id="the longest, in lower case"),
    pytest.param(r"sign(ature)? error|bad hmac", (" error", "bad hmac"), id="one of each alternative"),
    pytest.param(r"(wrong|bad) token", (" token",), id="not out of a group"),
    pytest.param(r"tokens? expired", (" expired",), id="not with a character that may be absent"),
    pytest.param(r"ab{0,2}cd+e", ("cd",), id="repeated characters"),
    pytest.param(r"x[ab|c](d|e)yz", ("yz",), id="neither a class nor a group ends an alternative"),
    pytest.param(r"(令牌|token)已过期", ("已过期",), id="chinese"),
    pytest.param(r"(a|b)|word", None, id="an alternative without any"),
    pytest.param(r"(?x) spaced out", None, id="other settings"),
    pytest.param(r"caf\u00e9 closed", None, id="escapes of more than one character"),
]


@pytest.mark.parametrize(("pattern", "words"), PATTERNS)
def test_the_words_of_a_pattern(pattern: str, words: tuple[str, ...] | None) -> None:
    assert needles(pattern) == words


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        pytest.param("invalid sign", "INVALID SIGN", id="upper case"),
        pytest.param("invalid", "\u0130nvalid", id="dotted capital i"),
        pytest.param("signature", "\u017fignature", id="long s"),
        pytest.param("token", "to\u212aen", id="kelvin sign"),
        pytest.param(r"bad|tokens? expired", "token expired", id="an optional character"),
    ],
)
def test_what_matches_is_asked_about(pattern: str, text: str) -> None:
    assert re.search(pattern, text, re.IGNORECASE)
    assert may_match(text, needles(pattern))


def test_a_text_without_the_words_is_not_asked_about() -> None:
    assert not may_match("order not found", needles(r"invalid\s+timestamp|expired"))
