"""Exports of API-log pages: made by Python's csv and by openpyxl, with what spreadsheets do to values."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics.exchanges import READ_COLUMNS, RECORDS
from openclaw_forensics.ingest.api import Part, ReadOptions
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.table import TableReader

ZH = [
    "请求时间",
    "平台",
    "店铺",
    "接口名称",
    "请求地址",
    "请求参数",
    "返回结果",
    "状态码",
    "耗时(ms)",
    "是否成功",
    "错误信息",
    "订单号",
]
URL = "https://api.market.example/orders/list?page=1"
GOOD = [
    "2024-05-01 08:03:11",
    "M",
    "shop-1",
    "订单列表",
    URL,
    '{"page":1}',
    '{"code":0,\n"data":[]}',
    "200",
    "31",
    "成功",
    "",
    "A1",
]
BAD = ["2024/5/1 8:04", "M", "shop-1", "订单列表", URL, '{"page":2}', "", "", "", "失败", "签名错误", "A2"]


def as_csv(rows: list[list[str]], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode(encoding)


def as_book(sheets: dict[str, list[list[object]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def read(data: bytes, name: str = "export.csv") -> tuple[Source, list[Part]]:
    source = Source(name, lambda: io.BytesIO(data))
    return source, list(TableReader().read(source, ReadOptions()))


def rows(data: bytes, name: str = "export.csv") -> list[dict[str, object]]:
    return [row for part in read(data, name)[1] for row in part.exchanges.iter_rows(named=True)]


def one(**cells: str) -> dict[str, object]:
    """The exchange of one row with these cells under these headers, beside a time and a URL."""
    table = {"请求时间": "2024-05-01 08:03:11", "请求地址": URL, "返回结果": "{}"} | cells
    (row,) = rows(as_csv([list(table), list(table.values())]))
    return row


def accounted(parts: list[Part]) -> int:
    return sum(
        p.balance.exchanges + p.balance.records + p.balance.problems + sum(p.balance.irrelevant.values()) for p in parts
    )


@pytest.mark.parametrize(
    ("data", "name"),
    [
        pytest.param(as_csv([ZH, GOOD, BAD]), "a.csv", id="csv"),
        pytest.param(as_csv([ZH, GOOD, BAD], "\t"), "a.tsv", id="tsv"),
        pytest.param(as_csv([ZH, GOOD, BAD], ";"), "a.csv", id="semicolon"),
        pytest.param(as_csv([ZH, GOOD, BAD], encoding="gb18030"), "a.csv", id="GBK"),
        pytest.param(as_csv([ZH, GOOD, BAD], encoding="utf-8-sig"), "a.csv", id="UTF-8 mark"),
        pytest.param(as_csv([ZH, GOOD, BAD], "\t", "utf-16"), "a.txt", id="UTF-16, as Excel's Unicode text"),
        pytest.param(as_csv([["API 日志导出"], ["店铺: shop-1"], [], ZH, GOOD, BAD]), "a.csv", id="title above"),
        pytest.param(as_book({"日志": [["API 日志"], list(ZH), list(GOOD), list(BAD)]}), "a.xlsx", id="workbook"),
    ],
)
def test_one_row_is_one_exchange(data: bytes, name: str) -> None:
    source = Source(name, lambda: io.BytesIO(data))
    assert TableReader().sniff(source.text_head(), name).score >= 75
    good, bad = rows(data, name)
    assert (good["host"], good["path"], good["query"]) == ("api.market.example", "/orders/list", "page=1")
    assert (good["direction"], good["status"], good["duration_ms"]) == ("out", 200, 31.0)
    assert good["started_at"] == datetime(2024, 5, 1, 8, 3, 11, tzinfo=UTC)
    assert (good["time_quality"], good["zone_basis"], good["client_class"]) == ("second", "assumed", "订单列表")
    assert (good["request_body"], good["response_body"]) == ('{"page":1}', '{"code":0,\n"data":[]}')
    assert (good["request_body_exact"], good["answer_state"]) == (False, "answered")
    assert good["labels"] == [
        {"name": "platform", "value": "M"},
        {"name": "shop", "value": "shop-1"},
        {"name": "order", "value": "A1"},
        {"name": "outcome", "value": "ok"},
    ]
    assert (bad["started_at"], bad["time_quality"]) == (datetime(2024, 5, 1, 8, 4, tzinfo=UTC), "derived")
    assert (bad["response_body"], bad["response_body_state"]) == ("签名错误", "reconstructed")
    assert {"name": "outcome", "value": "failed"} in bad["labels"]  # type: ignore[operator]


def test_places_and_bytes() -> None:
    source, (part,) = read(as_csv([["导出"], ZH, GOOD, BAD]))
    assert part.exchanges["locator"].to_list() == ["lines:3-4", "lines:5-5"]
    assert part.exchanges.schema == pl.Schema(READ_COLUMNS)
    assert part.records.schema == pl.Schema(RECORDS)
    assert accounted([part]) == source.given


def test_each_sheet_has_its_own_header_and_place() -> None:
    data = as_book({"a~b": [list(ZH), list(GOOD)], "none": [["x"]], "c": [["标题"], list(ZH), list(BAD)]})
    source, parts = read(data, "a.xlsx")
    assert [row["locator"] for part in parts for row in part.exchanges.iter_rows(named=True)] == [
        "ptr:/a~0b/2",
        "ptr:/c/3",
    ]
    assert accounted(parts) == source.size == len(data)


def test_dates_and_numbers_of_a_workbook() -> None:
    stamps: list[object] = [datetime(2024, 5, 1, 8, 3, 11), 45413.33, "2024年5月1日 8:03"]
    table = [["请求时间", "请求地址", "状态码", "订单号"], *([stamp, URL, 500, 123456789012345678] for stamp in stamps)]
    found = rows(as_book({"s": table}), "a.xlsx")
    assert [row["started_at"] for row in found] == [
        datetime(2024, 5, 1, 8, 3, 11, tzinfo=UTC),
        datetime(2024, 5, 1, 7, 55, 12, tzinfo=UTC),
        datetime(2024, 5, 1, 8, 3, tzinfo=UTC),
    ]
    assert {row["status"] for row in found} == {500}
    assert "digits lost by scientific notation: order" in str(found[0]["state_reason"])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param({"是否成功": "Y"}, "ok", id="Y"),
        pytest.param({"是否成功": "1"}, "ok", id="1 under success"),
        pytest.param({"success": "FALSE"}, "failed", id="false"),
        pytest.param({"状态": "异常"}, "failed", id="state"),
        pytest.param({"状态": "1"}, None, id="a bare 1 under state says nothing"),
        pytest.param({"状态": "处理中"}, None, id="pending"),
    ],
)
def test_outcome_words(cells: dict[str, str], expected: str | None) -> None:
    labels = one(**cells)["labels"] or []
    assert next((label["value"] for label in labels if label["name"] == "outcome"), None) == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param({"返回结果": "", "状态码": ""}, {"answer_state": "missing", "status": None}, id="no answer"),
        pytest.param({"返回结果": "", "错误信息": "Read timed out"}, {"transport_error": "timeout"}, id="timeout"),
        pytest.param({"返回结果": "", "是否成功": "成功"}, {"answer_state": "answered"}, id="only a flag"),
        pytest.param({"返回结果": "", "是否成功": "失败"}, {"answer_state": "missing"}, id="failed without a word"),
        pytest.param({"状态码": "0"}, {"status": None, "answer_state": "answered"}, id="no status"),
        pytest.param({"状态码": "", "status": "503"}, {"status": 503}, id="a column only called status"),
        pytest.param({"状态码": "", "status": "12"}, {"status": None}, id="a number that is no HTTP status"),
        pytest.param({"请求参数": ""}, {"request_body": None, "request_body_state": "not_recorded"}, id="empty cell"),
        pytest.param({"请求参数": '{"phone":"138****0000"}'}, {"request_body_state": "masked"}, id="masked"),
        pytest.param({"请求参数": '{"a":"' + "x" * 32_761}, {"request_body_state": "truncated"}, id="Excel's limit"),
        pytest.param({"请求参数": '{"a":"' + "x" * 249}, {"request_body_state": "truncated"}, id="column of 255"),
        pytest.param({"请求参数": '{"a":"' + "x" * 247 + '"}'}, {"request_body_state": "recorded"}, id="255 by chance"),
        pytest.param({"请求参数": "'{}"}, {"request_body": "{}"}, id="apostrophe"),
        pytest.param({"流水号": '="0012345678901234567"'}, {"trace_id": "0012345678901234567"}, id="formula mark"),
        pytest.param({"耗时": "31毫秒"}, {"duration_ms": 31.0}, id="unit in the cell"),
        pytest.param({"耗时(秒)": "1.5"}, {"duration_ms": 1500.0}, id="unit in the header"),
        pytest.param({"请求方式": "post"}, {"method": "POST"}, id="verb"),
        pytest.param({"请求方法": "com.a.B.c()"}, {"method": None, "client_class": "com.a.B.c()"}, id="a Java method"),
        pytest.param({"请求方法": "GET"}, {"method": "GET"}, id="a verb under an unclear header"),
        pytest.param({"请求地址": "/order/list?a=1"}, {"path": "/order/list", "query": "a=1"}, id="path only"),
        pytest.param({"请求地址": "order.list"}, {"client_class": "order.list", "path": None}, id="operation only"),
        pytest.param({"请求地址": "/a", "操作地址": "203.0.113.7"}, {"direction": "inbound"}, id="inbound by the peer"),
        pytest.param({"方向": "回调"}, {"direction": "inbound"}, id="inbound by word"),
        pytest.param(
            {"请求头": '{"Authorization":"***","X":"1"}'},
            {"request_headers_state": "masked", "request_headers": [
                {"name": "Authorization", "value": "***"}, {"name": "X", "value": "1"}]},
            id="headers",
        ),
        pytest.param(
            {"返回结果": "", "HTTP状态码": "403", "错误码": "36009043", "错误信息": "shop is inactive"},
            {"status": 403, "response_body": "36009043: shop is inactive"}, id="status and the error's columns",
        ),
        pytest.param(
            {"返回结果": "", "HTTP状态码": "200", "错误码": "0", "错误信息": "Success"},
            {"status": 200, "response_body": None}, id="a good status and its columns",
        ),
        pytest.param({"请求时间": "", "结束时间": "2024-05-01 08:00:01"}, {"time_quality": "derived"}, id="end"),
        pytest.param({"请求时间": "2024-05-01T08:00:00+08:00"}, {"zone_basis": "given"}, id="zone"),
        pytest.param({"请求时间": "1714521791123"}, {"time_quality": "exact"}, id="epoch"),
        pytest.param({"请求时间": "soon"}, {"time_quality": "missing", "started_at": None}, id="no time"),
    ],
)  # fmt: skip
def test_cells(cells: dict[str, str], expected: dict[str, object]) -> None:
    row = one(**cells)
    assert {name: row[name] for name in expected} == expected


def test_a_day_over_twelve_decides_for_the_column() -> None:
    table = [["请求时间", "请求地址", "返回结果"], ["1/2/2024 10:00", URL, "a"], ["13/2/2024 10:00", URL, "b"]]
    assert [row["started_at"] for row in rows(as_csv(table))] == [
        datetime(2024, 2, 1, 10, tzinfo=UTC),
        datetime(2024, 2, 13, 10, tzinfo=UTC),
    ]


def test_rows_that_share_one_longest_length_and_do_not_close_were_cut() -> None:
    body = '{"a":"' + "x" * 700
    table = [["请求时间", "请求地址", "返回结果"], *([f"2024-05-01 08:00:0{n}", URL, body] for n in range(3))]
    assert {row["response_body_state"] for row in rows(as_csv(table))} == {"truncated"}


def test_a_row_without_target_or_outcome_is_a_record() -> None:
    table = [ZH, GOOD, ["2024-05-01 09:00:00", "", "", "", "", "", "", "", "", "失败", "没有映射", ""]]
    _, (part,) = read(as_csv(table))
    assert part.exchanges.height == 1
    assert part.records.select("level", "message", "line").rows() == [
        ("ERROR", "2024-05-01 09:00:00 | 失败 | 没有映射", 4)
    ]
    assert part.records["at"].to_list() == [datetime(2024, 5, 1, 9, tzinfo=UTC)]


def test_overlapping_pages_count_once() -> None:
    _, (part,) = read(as_csv([ZH, GOOD, BAD, GOOD, ZH, BAD]))
    assert part.exchanges.height == 2
    assert set(part.balance.irrelevant) == {
        "rows above the header",
        "row repeated by overlapping pages",
        "header repeated",
    }


def test_a_quote_that_never_closes_costs_its_own_line() -> None:
    data = as_csv([ZH, GOOD]) + b'2024-05-01 08:05:00,M,shop-1,a,/x,"{""a"":1,,200,,,,\r\n' + as_csv([BAD])
    source, parts = read(data)
    assert [(p.kind, p.line) for part in parts for p in part.problems] == [("malformed", 4)]
    assert {row["path"] for part in parts for row in part.exchanges.iter_rows(named=True)} == {"/orders/list", "/x"}
    assert sum(part.exchanges.height for part in parts) == 3
    assert accounted(parts) == source.given


def test_an_html_table_saved_as_xls() -> None:
    def line(tag: str, cells: list[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>\n"

    data = f"<html><body><table>\n{line('th', ZH)}{line('td', GOOD)}</table>".encode()
    assert TableReader().sniff(data, "a.xls").score == 80
    source, parts = read(data, "a.xls")
    (row,) = [row for part in parts for row in part.exchanges.iter_rows(named=True)]
    assert (row["status"], row["request_body"]) == (200, '{"page":1}')
    assert accounted(parts) == source.size == len(data)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(b"PK\x03\x04" + b"\0" * 100, "unreadable", id="no archive"),
        pytest.param(as_book({"a": [list(ZH), list(GOOD)]})[:-200], "unreadable", id="cut"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "unreadable", id="no XLS"),
    ],
)
def test_a_broken_workbook_is_a_problem(data: bytes, kind: str) -> None:
    source, parts = read(data, "a.xls")
    assert [problem.kind for part in parts for problem in part.problems] == [kind]
    assert accounted(parts) == source.size


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"sku,price,stock\n1,2,3\n", id="another table"),
        pytest.param(b"2024-05-01 08:00:00 INFO GET /orders, status code, response\n", id="text log"),
        pytest.param(b'{"url":"/x","status":200}\n', id="json"),
        pytest.param(bytes(range(256)), id="binary"),
        pytest.param(b"", id="empty"),
    ],
)
def test_other_files_are_left_to_others(head: bytes) -> None:
    assert TableReader().sniff(head, "x.csv").score == 0


SEEDS = [as_csv([ZH, GOOD, BAD]), as_csv([ZH, GOOD, BAD], ";", "gb18030"), as_book({"a": [list(ZH), list(GOOD)]})]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 6000), st.integers(0, 6000), st.binary(max_size=40))
def test_cut_and_spliced_tables_never_fail(seed: bytes, start: int, end: int, noise: bytes) -> None:
    data = seed[:start] + noise + seed[end:]
    source, parts = read(data, "a.xlsx" if seed.startswith(b"PK") else "a.csv")
    assert accounted(parts) == (source.given if source.given else len(data))


def test_an_xml_spreadsheet_saved_as_xls() -> None:
    def row(values: list[str], first: str = "") -> str:
        data = "".join(
            f'<Cell{first}><Data ss:Type="String">{v.replace(chr(34), "&quot;")}</Data></Cell>' for v in values
        )
        return f"<Row>{data}</Row>"

    head = ["请求时间", "请求地址", "请求方式", "状态码", "返回结果"]
    good = ["2026-11-23T10:00:00.000", "/order/list", "POST", "403", '{"error":"error_auth"}']
    behind = '<Row><Cell ss:Index="2"><Data>/order/get</Data></Cell><Cell/><Cell><Data>200</Data></Cell></Row>'
    data = (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>\n'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"'
        ' xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="log"><Table>'
        f"{row(head)}{row(good)}{behind}</Table></Worksheet></Workbook>"
    ).encode()
    names = ("locator", "path", "method", "status", "response_body")
    first, second = (tuple(row[name] for name in names) for row in rows(data, "log.xls"))
    assert TableReader().sniff(data, "log.xls").score >= 80
    assert first == ("ptr:/log/2", "/order/list", "POST", 403, '{"error":"error_auth"}')
    assert second == ("ptr:/log/3", "/order/get", None, 200, None)


@pytest.mark.parametrize(
    ("status", "action", "told"),
    [
        ("405", "block", "front action: block"),
        ("403", "拦截", "front action: 拦截"),
        ("405", "-", None),
        ("200", "block", None),
    ],
    ids=["refused", "refused in Chinese", "the server's own answer", "answered all the same"],
)
def test_what_the_firewall_in_front_did(status: str, action: str, told: str | None) -> None:
    head = ["time", "client_ip", "host", "request_method", "request_path", "status", "waf_action"]
    line = ["2026-04-18T06:02:11+08:00", "203.0.113.7", "hooks.shop.example", "POST", "/hooks/acme", status, action]
    [row] = rows(as_csv([head, line]))
    assert (row["direction"], row["status"], row["transport_error_text"]) == ("inbound", int(status), told)
