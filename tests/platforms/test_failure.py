"""What answers say: failures, codes, messages, items, expected outcomes, and the fallback to what holds anywhere."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from openclaw_forensics.platforms.candidates import Suspicion
from openclaw_forensics.platforms.failure import Outcome, judge
from openclaw_forensics.platforms.model import Envelope, Operation
from tests.platforms.rows import frame, message, pack, row

URL = "https://api.acme.example/v2/orders/1"
ENVELOPES: list[dict[str, Any]] = [
    {
        "id": "batch",
        "path": "/batch$",
        "code": ["response.json:/code"],
        "message": ["response.json:/msg"],
        "item_failures": [
            {
                "items": "response.json:/items",
                "failed_when": [{"place": "response.json:/error/code", "exists": True}],
                "code": ["response.json:/error/code"],
                "message": ["response.json:/error/message"],
                "object_id": ["response.json:/sku"],
            }
        ],
    },
    {
        "id": "xml",
        "path": "/xml$",
        "code": ["response.xml:Errors/Code"],
        "message": ["response.xml:Errors/Text"],
        "failed_when": [[{"place": "response.xml:Ack", "one_of": ["Failure"]}]],
    },
    {
        "id": "main",
        "code": ["response.json:/error"],
        "subcode": ["response.json:/sub"],
        "message": ["response.json:/msg", "response.json:/message"],
        "fields": ["response.json:/fields/*/name"],
        "request_id": ["response.json:/request_id"],
        "failed_when": [
            [{"place": "response.json:/error", "none_of": ["", "-", "0"]}],
            [{"place": "response.json:/state", "equals": "FAILED"}, {"place": "response.json:/kind", "equals": "job"}],
        ],
        "ok_when": [{"place": "response.json:/error", "one_of": ["later"]}],
    },
]
COMMON: list[dict[str, Any]] = [
    {
        "id": "block",
        "when": [{"place": "response.text:(?i)blocked by", "exists": True}],
        "message": ["response.text:<title>([^<]+)"],
        "failed_when": [[{"place": "response.text:(?i)<html", "exists": True}]],
    },
    {
        "id": "oauth",
        "code": ["response.json:/error"],
        "message": ["response.json:/error_description"],
        "when": [{"place": "response.status", "re": "^[45]"}],
    },
    {"id": "text", "message": ["response.text:<title>([^<]+)", "response.text:^([^<{][^\\n]*)"]},
]
OPERATION = {
    "id": "orders.get",
    "name": {"en": "a", "zh": "b"},
    "expected": [
        {"status": 404, "because": {"en": "a probe", "zh": "探测"}},
        {"code": "busy", "message": "(?i)try", "because": {"en": "a queue", "zh": "排队"}},
    ],
}


def outcome(answer: str | None, status: int | None = 200, url: str = URL, **others: Any) -> Outcome:
    own = [Envelope.model_validate(e) for e in ENVELOPES]
    general = [Envelope.model_validate(e) for e in COMMON]
    operation = Operation.model_validate(OPERATION)
    return judge(message(url, status=status, answer=answer, **others), operation, own, general)


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        pytest.param('{"error":"bad","msg":"no"}', 200, ("body", "bad", "no"), id="code-in-200"),
        pytest.param('{"error":"","msg":"ok"}', 200, (None, None, None), id="blank-code"),
        pytest.param('{"error":0,"msg":"ok"}', 200, (None, None, None), id="fine-number"),
        pytest.param('{"error":null,"msg":"ok"}', 200, (None, None, None), id="null"),
        pytest.param('{"error":"later","msg":"wait"}', 200, (None, None, None), id="said-to-be-fine"),
        pytest.param('{"error":"later","msg":"wait"}', 503, ("status", "later", "wait"), id="fine-word-in-503"),
        pytest.param('{"kind":"job","state":"FAILED","msg":"x"}', 200, ("body", None, "x"), id="all-tests-of-a-group"),
        pytest.param('{"kind":"order","state":"FAILED"}', 200, (None, None, None), id="one-test-of-a-group"),
        pytest.param('{"error":"bad","msg":"no"}', 400, ("status", "bad", "no"), id="status"),
        pytest.param("{'error': 491, 'msg': 'no'}", None, ("body", "491", "no"), id="python-repr-without-status"),
        pytest.param(
            '{"error":"bad","msg":"it is not so (truncated...)', 400, ("status", "bad", "it is not so"), id="cut"
        ),
        pytest.param(
            '{"error":" bad\\u00a0","msg":"a\\u00a0b\\n c"}', 400, ("status", "bad", "a b c"), id="odd-blanks"
        ),
        pytest.param(
            "<html><title>Blocked by us</title></html>", 200, ("body", None, "Blocked by us"), id="block-page-in-200"
        ),
        pytest.param(
            "<html><title>Blocked by us</title></html>", 403, ("status", None, "Blocked by us"), id="block-page"
        ),
        pytest.param("Bad Gateway\nnginx", 502, ("status", None, "Bad Gateway"), id="plain-text"),
        pytest.param(None, 502, ("status", None, None), id="no-body"),
        pytest.param("<html>", 302, (None, None, None), id="redirect"),
        pytest.param(None, 304, (None, None, None), id="not-modified"),
    ],
)
def test_outcomes(answer: str | None, status: int | None, expected: tuple[str | None, ...]) -> None:
    found = outcome(answer, status, answer_state="answered")
    assert (found.failure, found.code, found.message) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"transport_error": "timeout", "answer_state": "missing"}, "transport"),
        ({"transport_error": "reset", "answer_state": "cancelled"}, None),
        ({"answer_state": "missing"}, "no_answer"),
        ({"answer_state": "open"}, None),
        ({"answer_state": "not_logged"}, None),
        ({"transport_error": "proxy", "status": 502}, "status"),
    ],
)
def test_without_an_answer(change: dict[str, Any], expected: str | None) -> None:
    assert outcome(None, change.pop("status", None), **change).failure == expected


def test_all_columns() -> None:
    found = outcome(
        '{"error":"e","sub":"s","msg":"m","fields":[{"name":"a"},{"name":"b"},{"name":"a"}],"request_id":"r"}', 400
    )
    expected = Outcome("status", "e", "s", "m", ["a", "b"], "r")
    assert dataclasses.astuple(found) == dataclasses.astuple(expected)


def test_common_gives_the_code_that_the_pack_does_not_find() -> None:
    found = outcome('{"error":"invalid_grant","error_description":"gone"}', 400, "https://api.acme.example/x/batch")
    assert (found.code, found.message) == ("invalid_grant", "gone")


def test_items() -> None:
    answer = '{"code":"0","msg":"Success","items":[{"sku":"A"},{"sku":"B","error":{"code":7,"message":"no stock"}}]}'
    found = outcome(answer, url="https://api.acme.example/x/batch")
    assert (found.failure, found.code, found.message) == ("body", "7", "no stock")
    assert found.items == [{"pointer": "/items/1", "object_id": "B", "code": "7", "message": "no stock"}]


def test_a_refused_batch_keeps_its_own_code() -> None:
    answer = '{"code":"9","msg":"refused","items":[{"sku":"B","error":{"code":7}}]}'
    found = outcome(answer, 400, "https://api.acme.example/x/batch")
    assert (found.code, found.message, len(found.items or [])) == ("9", "refused", 1)


def test_healthy_items() -> None:
    assert outcome('{"code":"0","items":[{"sku":"A"}]}', url="https://api.acme.example/x/batch").failure is None


@pytest.mark.parametrize(("ack", "expected"), [("Failure", "body"), ("Success", None)])
def test_xml(ack: str, expected: str | None) -> None:
    answer = f'<R xmlns="urn:a"><Ack>{ack}</Ack><Errors><Code>5</Code><Text>t</Text></Errors></R>'
    found = outcome(answer, url="https://api.acme.example/xml")
    assert (found.failure, found.code) == (expected, "5" if expected else None)


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        ('{"error":"none","msg":"x"}', 404, True),
        ('{"error":"busy","msg":"Try later"}', 429, True),
        ('{"error":"busy","msg":"other"}', 429, False),
        ('{"error":"busy"}', 429, False),
    ],
)
def test_expected_outcomes_are_no_failures(answer: str, status: int, expected: bool) -> None:
    found = outcome(answer, status)
    assert (found.expected, found.failure is None) == (expected, expected)


FAILING = [
    '{"error":"bad"}',
    '{"error" : "bad"}',
    "{'error': 'bad'}",
    '{"error":5}',
    '{"error":"","x":{"error":"bad"}}',
    '{\\"error\\":\\"bad\\"}',
    "error=bad, msg=x",
    "Array\n(\n    [error] => bad\n)",
    '{"kind":"job","state":"FAILED"}',
    '{"state": "FAILED","kind" :"job"}',
    '{"error":{"code":1}}',
    "<html>blocked by x</html>",
]
HEALTHY = [
    '{"error":"","msg":"x"}',
    '{"error": "-"}',
    '{"error":0}',
    '{"error":"0"}',
    '{"error":null}',
    '{"error":[]}',
    "{'error': None}",
    '{"errors":"x"}',
    '{"last_error":"x"}',
    '{"state":"FAILED"}',
    "",
    "<html>fine</html>",
]


def suspects(bodies: list[str], url: str = URL) -> list[int]:
    own = pack({"envelope": ENVELOPES})
    common = pack({"id": "common", "envelope": COMMON})
    held = frame(*(row(url, answer=body) for body in bodies))
    found = [Suspicion(p).rows(held["response_body"], held["path"]).to_list() for p in (own, common)]
    return sorted({*found[0], *found[1]})


def test_every_failing_body_is_read_and_healthy_ones_are_not() -> None:
    assert suspects(FAILING + HEALTHY) == list(range(len(FAILING)))


@pytest.mark.parametrize("body", FAILING)
def test_a_body_that_fails_is_suspicious(body: str) -> None:
    if outcome(body).failure == "body":
        assert suspects([body]) == [0]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/x/batch", '{"items":[{"error":{"code":1}}]}', [0]),
        ("/x/batch", '{"items":[{"sku":1}]}', []),
        ("/x/batch", '{"rows":[{"error":{"code":1}}]}', [0]),
        ("/xml", "<a:R><a:Ack>Failure</a:Ack></a:R>", [0]),
        ("/xml", "<R><Ack>Success</Ack></R>", []),
    ],
)
def test_items_and_markup(path: str, body: str, expected: list[int]) -> None:
    assert suspects([body], "https://api.acme.example" + path) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('[{"error":"bad","msg":"no"}]', ("body", "bad", "no")),
        ('{"message":"no"}', ("body", None, "no")),
        ("{}", (None, None, None)),
    ],
)
def test_exceptions_that_quote_a_part_of_the_answer(answer: str, expected: tuple[str | None, ...]) -> None:
    own = [
        Envelope(id="list", code=("response.json:/list/0/error",), message=("response.json:/list/0/msg",)),
    ]
    general = [Envelope(id="json", message=("response.json:/message",))]
    exchange = message(None, status=None, answer=answer, answer_state="answered", client_class="acme.CallException get")
    found = judge(exchange, None, own, general)
    assert (found.failure, found.code, found.message) == expected


def test_an_envelope_whose_path_was_not_recorded() -> None:
    own = [Envelope.model_validate(ENVELOPES[2] | {"path": "^/v2/"})]
    found = judge(message(None, status=None, answer='{"error":"bad"}', answer_state="answered"), None, own, [])
    assert (found.failure, found.code) == ("body", "bad")
    held = frame(row(None, answer='{"error":"bad"}'))
    assert Suspicion(pack({"envelope": [ENVELOPES[2] | {"path": "^/v2/"}]})).rows(
        held["response_body"], held["path"]
    ).to_list() == [0]


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (403, "E7: no scope", "E7"),
        (403, '{"error":"E9","msg":"no scope"}', "E9"),
        (200, "E7: no scope", None),
    ],
    ids=["the columns beside it", "a recorded body goes first", "a good status"],
)
def test_the_captures_own_columns(status: int, answer: str, code: str | None) -> None:
    labels = [{"name": "error_code", "value": "E7"}, {"name": "error_message", "value": "no scope"}]
    told = message(URL, status=status, answer=answer)
    told.row["labels"] = labels
    out = judge(told, None, [Envelope(**ENVELOPES[2])], ())
    assert out.code == code
