"""Whatever is done to a file: exchanges and problems, never an exception, every byte accounted for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.ingest.readers import read
from tests.ingest.test_har import entry, har
from tests.ingest.test_mitmproxy import flow, net, old_flow
from tests.ingest.test_proxies import (
    ANSWERED,
    ASKED,
    BURP_ANSWERED,
    BURP_ASKED,
    TIMERS,
    burp,
    burp_item,
    charles,
    execution,
    report,
    saz,
    sessions,
)

CAPTURES = Path(__file__).parent.parent / "captures"
FILES: dict[str, bytes] = {
    "har": har(entry(), entry({"url": "data:x"}), entry(None, {"status": 0, "_error": "net::ERR_FAILED"})),
    "har indented": har(entry(), entry(), indent=2),
    "har bare": json.dumps(entry()).encode(),
    "har real": (CAPTURES / "mitmproxy" / "v11.har").read_bytes(),
    "mitmproxy": net(flow()) + net(flow(type="tcp")) + net(old_flow()),
    "mitmproxy real": (CAPTURES / "mitmproxy" / "v11.mitm").read_bytes(),
    "chlsj": sessions(charles(), charles(tunnel=True)),
    "saz": saz({"1": {"c": ASKED, "s": ANSWERED, "m": TIMERS.encode()}, "2": {"c": ASKED}}),
    "newman": report(execution(), execution(response=None)),
    "burp": burp(burp_item(BURP_ASKED, BURP_ANSWERED), burp_item(BURP_ASKED, None, encoded=False)),
}
PIECES = st.binary(max_size=12) | st.sampled_from(
    [b'"', b"{", b"}", b"]", b",", b"\xff", b"\0", b"null", b"9" * 30, b"]]>"]
)
LIMITS = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def reader_of(name: str) -> str:
    return name.split(maxsplit=1)[0]


@pytest.mark.parametrize("name", FILES)
def test_whole_files_give_exchanges(name: str) -> None:
    result = read(FILES[name], "x", reader_of(name))
    assert sum(part.exchanges.height for part in result.parts) > 0


@pytest.mark.parametrize("name", FILES)
@LIMITS
@given(data=st.data())
def test_cut_and_spliced_files(name: str, data: st.DataObject) -> None:
    whole = FILES[name]
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(0, len(whole)))
    read(whole[:begin] + data.draw(PIECES) + whole[end:], "x", reader_of(name))


@pytest.mark.parametrize("name", FILES)
@LIMITS
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_corrupted_files(name: str, places: list[tuple[float, int]]) -> None:
    broken = bytearray(FILES[name])
    for place, value in places:
        broken[int(place * (len(broken) - 1))] = value
    read(bytes(broken), "x", reader_of(name))


@pytest.mark.parametrize("name", ["har", "mitmproxy", "chlsj", "saz", "newman", "burp", "refused"])
@LIMITS
@given(data=st.binary(max_size=200))
@example(b'{"log":{"entries":[' + b"[" * 100_000)
@example(b'{"log":{"entries":[{"request":{"url":"a","headers":' + b"[" * 3000)
@example(b'[{"status"' * 2000)
def test_rubbish(name: str, data: bytes) -> None:
    read(data, "x", name)


@pytest.mark.parametrize("value", [None, [], {}, 0, 1e999, -1, True, "", "x", [[]], 10**30], ids=repr)
def test_any_field_may_hold_anything(value: object) -> None:
    """Each field of an entry in turn, at every depth."""

    def variants(node: object) -> list[object]:
        if not isinstance(node, dict):
            return []
        changed: list[object] = [node | {key: value} for key in node]
        return changed + [node | {key: inner} for key in node for inner in variants(node[key])]

    shape = entry({"postData": {"mimeType": "x", "text": "a", "params": []}}, {"_error": "x"}, serverIPAddress="::1")
    for variant in variants(shape):
        assert isinstance(variant, dict)
        read(har(variant, entry()), "x", "har")
    for variant in variants(charles()):
        assert isinstance(variant, dict)
        read(sessions(variant), "x", "chlsj")
    for variant in variants(execution()):
        assert isinstance(variant, dict)
        read(report(variant), "x", "newman")
    if value is None or not isinstance(value, float):
        for variant in variants(flow()):
            read(net(variant), "x", "mitmproxy")
