"""How fast captures are read, beside other programs on the same file, and how soon the command answers.

`make bench`, or `bench.py [--mb N] [--rounds N] [--only text,jsonlines,har,nginx,startup] [--keep FOLDER]`. All
programs of one comparison run in turn, round after round, each in a process of its own; shown are medians, so a busy
machine slows all alike. The first column is the time inside the process without its start where a program tells it,
`whole` the process from start to end, `cpu` its processor seconds, peak memory its own. A peer that is not installed
is named and left out. Nothing here fails for being slow.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOACCESS_FORMAT = (
    '--log-format=%h %^[%d:%t %^] "%r" %s %b "%R" "%u" %T', "--date-format=%d/%b/%Y", "--time-format=%H:%M:%S"
)  # fmt: skip
MAIN = "from openclaw_forensics.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Subject:
    """One program to run: `command` in full; `inside` when it tells its own work time and memory as JSON."""

    name: str
    command: tuple[str, ...]
    inside: bool = False


@dataclass(slots=True)
class Samples:
    """What the rounds of one subject gave: seconds, MiB and what it counted."""

    whole: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    found: str = ""

    def median(self) -> float:
        """Of the work where it is known, else of the whole."""
        return statistics.median(self.work or self.whole)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Subjects on one file; the first is ours. `whole`: compare whole processes, because a peer tells no more."""

    title: str
    subjects: tuple[Subject, ...]
    megabytes: float | None = None
    whole: bool = False
    missing: tuple[str, ...] = ()


# Inside a child -----------------------------------------------------------------------------------------------------


def read_ours(path: Path) -> str:
    """Read a capture as `analyze` does, part by part."""
    from openclaw_forensics.ingest.reading import Reading
    from openclaw_forensics.ingest.sources import Source

    reading = Reading(Source(path.name, lambda: path.open("rb"), size=path.stat().st_size))
    exchanges = records = 0
    for part in reading.parts():
        exchanges += part.exchanges.height
        records += part.records.height
    told = reading.result()
    reason = f", {told.problems[0].message}" if told.problems else ""
    return f"{told.format}: {exchanges} exchanges, {records} records, {len(told.problems)} problems{reason}"


def read_lines(path: Path) -> str:
    """The floor: a loop over lines that does nothing."""
    with path.open("rb") as stream:
        return f"{sum(1 for _ in stream)} lines"


def read_orjson(path: Path) -> str:
    """orjson.loads of the whole file, the garbage collector off."""
    import gc

    import orjson

    gc.disable()
    document = orjson.loads(path.read_bytes())
    return f"{len(document['log']['entries'])} entries"


def read_orjson_lines(path: Path) -> str:
    """orjson.loads of each line, the garbage collector off."""
    import gc

    import orjson

    gc.disable()
    with path.open("rb") as stream:
        return f"{len([orjson.loads(line) for line in stream])} lines"


CHILDREN: dict[str, Callable[[Path], str]] = {
    "ours": read_ours,
    "lines": read_lines,
    "orjson": read_orjson,
    "orjson-lines": read_orjson_lines,
}


def child(name: str, path: Path) -> None:
    """Do one child's work and print what it took; imports count as work only where they happen inside it."""
    if name == "ours":
        importlib.import_module("openclaw_forensics.ingest.registry").readers()
    began = time.perf_counter()
    found = CHILDREN[name](path)
    seconds = time.perf_counter() - began
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_mib": peak_mib(), "found": found}))


def peak_mib() -> float | None:
    """This process's peak resident memory in MiB; None where the system does not tell (Windows)."""
    if importlib.util.find_spec("resource") is None:
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


# Outside ------------------------------------------------------------------------------------------------------------


def python(name: str, title: str, path: Path) -> Subject:
    """A child of this file."""
    return Subject(title, (sys.executable, str(Path(__file__)), "--child", name, str(path)), inside=True)


def run(subject: Subject, samples: Samples) -> None:
    """One round of one subject."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    began, used = time.perf_counter(), _cpu_of_children()
    done = subprocess.run(subject.command, capture_output=True, env=environment, check=False)
    samples.whole.append(time.perf_counter() - began)
    samples.cpu.append(_cpu_of_children() - used)
    if done.returncode:
        samples.found = f"failed: {done.stderr.decode(errors='replace').strip()[-200:]}"
        return
    if subject.inside:
        told = json.loads(done.stdout)
        samples.work.append(told["seconds"])
        samples.found = told["found"]
        if told["peak_mib"]:
            samples.peak.append(told["peak_mib"])


def _cpu_of_children() -> float:
    """Processor seconds, user and system, of all children that have ended; 0 on Windows."""
    times = os.times()
    return times.children_user + times.children_system


def compare(comparison: Comparison, rounds: int) -> None:
    """Run the subjects in turn and print a table with ratios to ours."""
    samples = {subject.name: Samples() for subject in comparison.subjects}
    for _ in range(rounds):
        for subject in comparison.subjects:
            run(subject, samples[subject.name])
    size = f", {comparison.megabytes:.0f} MB" if comparison.megabytes else ""
    print(f"\n{comparison.title}{size}, {rounds} rounds in turn")
    print(f"  {'':34} {'median s':>9} {'whole s':>9} {'cpu s':>7} {'MB/s':>7} {'peak MiB':>9}  beside ours")
    ours = samples[comparison.subjects[0].name]
    base = statistics.median(ours.whole) if comparison.whole else ours.median()
    for subject in comparison.subjects:
        print(_line(subject.name, samples[subject.name], comparison, base))
    for name in comparison.missing:
        print(f"  {name}: not installed, left out")


def _line(name: str, samples: Samples, comparison: Comparison, base: float) -> str:
    whole = statistics.median(samples.whole)
    seconds = whole if comparison.whole else samples.median()
    cpu = statistics.median(samples.cpu)
    speed = f"{comparison.megabytes / seconds:.0f}" if comparison.megabytes else ""
    peak = f"{statistics.median(samples.peak):.0f}" if samples.peak else ""
    ratio = f"{seconds / base:.2f} times ours" if seconds != base else ""
    return f"  {name:34} {seconds:9.3f} {whole:9.3f} {cpu:7.2f} {speed:>7} {peak:>9}  {ratio:18} {samples.found}"


def peers(names: Sequence[str]) -> tuple[str, ...]:
    """Those programs that are not installed."""
    return tuple(name for name in names if shutil.which(name) is None)


def text(path: Path, size: float) -> Comparison:
    """A Java log with request and answer lines."""
    subjects = [python("ours", "ours", path), python("lines", "a bare loop over lines", path)]
    if shutil.which("lnav"):
        count = ";SELECT count(*) FROM all_logs"
        subjects.append(Subject("lnav, load and count", ("lnav", "-n", "-c", count, str(path))))
    return Comparison("Text log (logback)", tuple(subjects), size, missing=peers(["lnav"]))


def jsonlines(path: Path, size: float) -> Comparison:
    """A structured log."""
    subjects = (python("ours", "ours", path), python("orjson-lines", "orjson.loads per line, gc off", path))
    return Comparison("JSON lines", subjects, size)


def har(path: Path, size: float) -> Comparison:
    """A HAR of small entries."""
    return Comparison("HAR", (python("ours", "ours", path), python("orjson", "orjson.loads, gc off", path)), size)


def nginx(path: Path, size: float) -> Comparison:
    """An access log of callbacks."""
    subjects = [python("ours", "ours", path)]
    if shutil.which("goaccess"):
        report = str(path.with_suffix(".html"))
        command = ("goaccess", str(path), *GOACCESS_FORMAT, "--no-global-config", "-o", report)
        subjects.append(Subject("goaccess, HTML report", command))
    return Comparison("nginx access log", tuple(subjects), size, whole=True, missing=peers(["goaccess"]))


def startup() -> Comparison:
    """How soon the command answers."""
    subjects = (
        Subject("--version", (sys.executable, "-c", MAIN, "--version")),
        Subject("--help", (sys.executable, "-c", MAIN, "--help")),
        Subject("bare python", (sys.executable, "-c", "pass")),
    )
    return Comparison("Start-up", subjects)


FILES: dict[str, tuple[str, str, Callable[[Path, float], Comparison]]] = {
    "text": ("logback", "app.log", text),
    "jsonlines": ("jsonlines", "app.jsonl", jsonlines),
    "har": ("har", "session.har", har),
    "nginx": ("nginx", "access.log", nginx),
}


def generated(kind: str, name: str, megabytes: float, folder: Path) -> Path:
    """The file of that kind and size in the folder, made if it is not there."""
    path = folder / f"{megabytes:g}-{name}"
    if not path.is_file():
        maker = (
            sys.executable,
            str(HERE / "generate.py"),
            "--kind",
            kind,
            "--mb",
            f"{megabytes:g}",
            "--out",
            str(path),
        )
        subprocess.run(maker, check=True, stdout=subprocess.DEVNULL)
    return path


def measure(only: Sequence[str], megabytes: float, rounds: int, folder: Path) -> None:
    """All comparisons asked for, in order."""
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, {os.cpu_count()} CPUs"
    )
    for name in only:
        if name == "startup":
            compare(startup(), max(rounds, 7))
            continue
        kind, file_name, comparison = FILES[name]
        path = generated(kind, file_name, megabytes, folder)
        compare(comparison(path, path.stat().st_size / 1e6), rounds)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=float, default=100, help="size of each generated file in 10^6 bytes")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join([*FILES, "startup"]), help="comma-separated parts")
    parser.add_argument("--keep", type=Path, help="folder for the generated files, kept for the next run")
    parser.add_argument("--child", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child[0], Path(given.child[1]))
        return
    only = [name for name in given.only.split(",") if name]
    if unknown := set(only) - {*FILES, "startup"}:
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        measure(only, given.mb, given.rounds, given.keep)
        return
    with tempfile.TemporaryDirectory(prefix="openclaw-bench-") as folder:
        measure(only, given.mb, given.rounds, Path(folder))


if __name__ == "__main__":
    main()
