"""From names to sources: folders, globs, standard input, archives, bounds, rotated series."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from openclaw_forensics.ingest.archives import sources_of
from openclaw_forensics.ingest.series import ordered
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.walk import Bounds, Unreadable, walk

LOG = b"2026-03-01 10:00:00 INFO hello\n"
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstandard.compress,
    "bz2": lambda data: bz2.compress(data, 1),
    "xz": lzma.compress,
    "zhar": zlib.compress,
}


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def contents(found: list[Source | Unreadable]) -> dict[str, bytes]:
    """Every source's bytes, every unreadable's problem kind."""
    return {
        item.path: item.problem.kind.encode() if isinstance(item, Unreadable) else b"".join(item.blocks())
        for item in found
    }


def opened(data: bytes, name: str = "a", bounds: Bounds | None = None) -> list[Source | Unreadable]:
    return list(sources_of(name, lambda: io.BytesIO(data), bounds or Bounds()))


@pytest.mark.parametrize("kind", COMPRESS)
def test_compressed_files_are_streams_of_their_own_name(kind: str) -> None:
    assert contents(opened(COMPRESS[kind](LOG * 1000), "a." + kind)) == {"a." + kind: LOG * 1000}


@pytest.mark.parametrize("kind", ["gz", "zst", "bz2", "xz"])
def test_frames_appended_to_each_other_are_one_stream(kind: str) -> None:
    assert contents(opened(COMPRESS[kind](LOG) * 500)) == {"a": LOG * 500}


@pytest.mark.parametrize("kind", COMPRESS)
def test_a_cut_stream_keeps_what_came_before(kind: str) -> None:
    noise = os.urandom(300_000)  # does not compress, so that a cut leaves something before it
    [source] = opened(COMPRESS[kind](noise)[:-100_000])
    assert isinstance(source, Source)
    data = b"".join(source.blocks())
    assert noise.startswith(data)
    assert [problem.kind for problem in source.problems] == ["truncated"]
    assert source.problems[0].offset == len(data)


def test_what_follows_a_compressed_stream_is_reported() -> None:
    [source] = opened(gzip.compress(LOG, mtime=0) + b"trailing rubbish")
    assert isinstance(source, Source)
    assert b"".join(source.blocks()) == LOG
    assert [problem.kind for problem in source.problems] == ["malformed"]


@pytest.mark.parametrize("kind", COMPRESS)
def test_expansion_is_bounded(kind: str) -> None:
    bomb = COMPRESS[kind](b"\0" * 20_000_000)
    [source] = opened(bomb, bounds=Bounds(expanded=5_000_000))
    assert isinstance(source, Source)
    assert sum(len(block) for block in source.blocks()) == 5_000_000
    assert [problem.kind for problem in source.problems] == ["limit"]
    [source] = opened(bomb, bounds=Bounds(ratio=50, ratio_from=1_000_000))
    assert isinstance(source, Source)
    assert sum(len(block) for block in source.blocks()) < 5_000_000 if kind != "zst" else True
    assert [problem.kind for problem in source.problems] == ["limit"]


def test_archive_members_are_sources() -> None:
    inner = {
        "b/app.log": LOG,
        "a.log.gz": gzip.compress(LOG, mtime=0),
        "__MACOSX/x": b"",
        ".hidden": b"",
        "empty/": b"",
    }
    expected = {"x.zip!/a.log.gz": LOG, "x.zip!/b/app.log": LOG}
    assert contents(opened(zipped(**inner), "x.zip")) == expected
    del inner["empty/"]
    for kind in ("gz", "zst", "bz2", "xz"):
        assert contents(opened(COMPRESS[kind](tarred(inner)), "x.zip")) == expected
    assert contents(opened(tarred(inner), "x.zip")) == expected


def test_archives_in_archives_stop_at_the_bound() -> None:
    two = zipped(**{"in.zip": zipped(**{"a.log": LOG}), "t.tar": tarred({"b.log": LOG})})
    assert contents(opened(two, "o.zip")) == {"o.zip!/in.zip!/a.log": LOG, "o.zip!/t.tar!/b.log": LOG}
    assert contents(opened(zipped(**{"o.zip": two}), "p.zip")) == {
        "p.zip!/o.zip!/in.zip": b"limit",
        "p.zip!/o.zip!/t.tar": b"limit",
    }


def test_hostile_member_names_lead_nowhere() -> None:
    names = {"../../etc/passwd": LOG, "/root": LOG, "C:\\x\\y": LOG, "a\nb": LOG}
    assert set(contents(opened(tarred(names), "t.tar"))) == {
        "t.tar!/etc/passwd",
        "t.tar!/root",
        "t.tar!/x/y",
        "t.tar!/a\ufffdb",
    }


def test_gbk_member_names_are_read() -> None:
    data = zipped(AAAA=LOG).replace(b"AAAA", "日志".encode("gbk"))
    assert set(contents(opened(data, "z.zip"))) == {"z.zip!/日志"}


def test_protected_members_are_named() -> None:
    data = bytearray(zipped(**{"a.log": LOG}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert contents(opened(bytes(data), "z.zip")) == {"z.zip!/a.log": b"encrypted"}


def test_members_are_bounded_in_number_and_size() -> None:
    members = {f"{number}.log": LOG for number in range(5)}
    assert list(contents(opened(zipped(**members), "z", Bounds(members=2))).values()) == [b"limit", LOG, LOG]
    assert list(contents(opened(zipped(**members), "z", Bounds(expanded=70))).values()) == [LOG, LOG] + [b"limit"] * 3


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["raw/01_c.txt", "raw/01_s.txt"], id="saz"),
        pytest.param(["[Content_Types].xml", "xl/workbook.xml"], id="office document"),
        pytest.param(["trace.har", "0123456789abcdef0123456789abcdef01234567.json"], id="playwright"),
    ],
)
def test_some_zips_are_formats_of_their_own(names: list[str]) -> None:
    [source] = opened(zipped(**dict.fromkeys(names, b"x")), "z.zip")
    assert source.path == "z.zip"


def test_broken_archives_say_so() -> None:
    assert contents(opened(b"PK\x03\x04 nothing", "z.zip")) == {"z.zip": b"unreadable"}
    assert contents(opened(b"\x1f\x8b\x08 nothing at all", "z.gz")) == {"z.gz": b"unreadable"}
    found = opened(tarred({"a.log": LOG * 100, "b.log": LOG * 100})[:5000], "t.tar")
    assert contents([item for item in found if item.path != "t.tar"])["t.tar!/a.log"] == LOG * 100


@given(
    st.sampled_from(
        [
            zipped(**{"a.log": LOG, "b.gz": gzip.compress(LOG, mtime=0)}),
            tarred({"a": LOG}),
            *(pack(LOG * 3) for pack in COMPRESS.values()),
        ]
    ),
    st.data(),
)
def test_corrupted_archives_never_raise(data: bytes, draws: st.DataObject) -> None:
    broken = bytearray(data[: draws.draw(st.integers(0, len(data)))])
    for place in draws.draw(st.lists(st.integers(0, max(len(broken) - 1, 0)), max_size=4)):
        if broken:
            broken[place] ^= draws.draw(st.integers(1, 255))
    contents(opened(bytes(broken), bounds=Bounds(expanded=1 << 20)))


def test_folders_are_walked_in_order(tmp_path: Path) -> None:
    for name in (
        "b/2.log",
        "b/10.log",
        "a.log",
        ".hidden",
        ".git/config",
        "openclaw-report.html",
        "openclaw-report-2.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(LOG)
    found = [item.path.removeprefix(f"{tmp_path}/") for item in walk([str(tmp_path)])]
    assert found == ["a.log", "b/2.log", "b/10.log"]


def test_globs_and_missing_names(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LOG)
    found = list(walk([str(tmp_path / "*.log"), str(tmp_path / "*.har"), str(tmp_path / "none")]))
    assert [type(item).__name__ for item in found] == ["Source", "Unreadable", "Unreadable"]
    assert [item.problem.message for item in found if isinstance(item, Unreadable)] == [
        "no file matches",
        "no such file or folder",
    ]


def test_a_name_given_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LOG)
    assert len(list(walk([str(tmp_path), str(tmp_path / "a.log")]))) == 1


def test_standard_input_can_be_read_again() -> None:
    [source] = walk(["-"], io.BytesIO(gzip.compress(LOG, mtime=0)))
    assert isinstance(source, Source)
    assert (source.path, source.head(), b"".join(source.blocks())) == ("-", LOG, LOG)


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="no pipes by name on this system")
def test_a_named_pipe_is_read_once() -> None:
    reader, writer = os.pipe()
    os.write(writer, LOG)
    os.close(writer)
    [source] = walk([f"/dev/fd/{reader}"])
    os.close(reader)
    assert isinstance(source, Source)
    assert b"".join(source.blocks()) == LOG


@pytest.mark.parametrize(
    ("names", "expected", "series"),
    [
        pytest.param(
            ["app.log", "app.log.1", "app.log.10.gz", "app.log.2.gz"], [2, 3, 1, 0], "app.log", id="logrotate"
        ),
        pytest.param(["app.log", "app.1.log", "app.2.log"], [2, 1, 0], "app.log", id="logback window"),
        pytest.param(["app-2026-03-02.log", "app.log", "app-2026-03-01.log"], [2, 0, 1], "app.log", id="days"),
        pytest.param(
            ["app-2026-03-01.1.log", "app-2026-03-01.0.log", "app-2026-02-28.7.log.gz"], [2, 1, 0], "app.log", id="size"
        ),
        pytest.param(["catalina.out", "catalina.out-20260301"], [1, 0], "catalina.out", id="dateext"),
        pytest.param(
            ["d/access_log.2026-03-02.txt", "d/access_log.2026-03-01.txt"], [1, 0], "d/access_log.txt", id="tomcat"
        ),
        pytest.param(["u_ex260302.log", "u_ex260301.log"], [1, 0], "u_ex.log", id="iis"),
        pytest.param(["a.2026-03-01-02.log", "a.2026-03-01-01.log"], [1, 0], "a.log", id="hours"),
    ],
)
def test_rotated_series_come_oldest_first(names: list[str], expected: list[int], series: str) -> None:
    assert ordered(names) == [(names[at], series) for at in expected]


def test_files_that_stand_alone_have_no_series() -> None:
    names = ["order-12345.har", "b/app.log", "a/app.log", "v1.2.log"]
    assert ordered(names) == [(name, None) for name in names]


def test_walk_names_the_series(tmp_path: Path) -> None:
    for name in ("app.log", "app.log.1", "other.log"):
        (tmp_path / name).write_bytes(LOG)
    found = [item for item in walk([str(tmp_path)]) if isinstance(item, Source)]
    assert [(Path(item.path).name, item.series and Path(item.series).name) for item in found] == [
        ("app.log.1", "app.log"),
        ("app.log", "app.log"),
        ("other.log", None),
    ]
