"""Each lint is tripped by a pack that deserves it, and a sound pack trips none."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_forensics.platforms.lint import coverage, lint
from openclaw_forensics.platforms.lints import LINTS

SOURCED = 'source = ["https://acme.example/docs"]\nchecked = 2026-01-01\n'
PLATFORM = f"""id = "acme"
kind = "marketplace"
name = {{ en = "Acme", zh = "艾克" }}
secret_names = ["sign", "token", "access_token"]
{SOURCED}
[places]
token = ["request.header:Token"]
signature = ["request.query:sign"]

[issued]
access_token = ["response.json:/access_token"]

[[hosts]]
pattern = "api.acme.example"
{SOURCED}
[[envelope]]
id = "main"
code = ["response.json:/error"]
failed_when = [[{{ place = "response.json:/error", none_of = [""] }}]]
{SOURCED}
[[envelope.test]]
request = {{ url = "https://api.acme.example/orders" }}
response = {{ status = 200, body = '{{"error":"bad"}}' }}
expect = {{ failure = "body", error_code = "bad", operation = "orders.list" }}

[[envelope.test]]
request = {{ url = "https://api.acme.example/orders" }}
response = {{ status = 200, body = '{{"error":""}}' }}
expect = {{ failed = false }}
"""
OPERATIONS = f"""[[operation]]
id = "orders.list"
name = {{ en = "list", zh = "列表" }}
path = "/orders"
{SOURCED}"""
ERRORS = f"""[[error]]
code = "bad"
operation = "orders.*"
cause = "request.malformed"
{SOURCED}"""
SIGNATURE = f"""[[scheme]]
id = "call"
algorithm = "md5"
parts = ["lit:a", "key"]
{SOURCED}
[[scheme.tests]]
secret = "k"
request = {{ url = "https://api.acme.example/orders" }}
signature = "17540aef7b8470cc3ea8b2b9046af3b6"
{SOURCED}"""
TESTED = 'place = "response.json:/error", none_of = [""]'
FILES = {"platform": PLATFORM, "operations": OPERATIONS, "errors": ERRORS, "signature": SIGNATURE}


def write(root: Path, pack: str = "acme", **changed: str) -> Path:
    folder = root / pack
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (FILES | changed).items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return root


def test_a_sound_pack_trips_none(tmp_path: Path) -> None:
    assert [str(f) for f in lint([write(tmp_path)])] == []


def unsourced(text: str) -> str:
    return text.replace(SOURCED, "")


TRIPS = {
    "unknown-id": {"errors": ERRORS.replace("request.malformed", "request.none")},
    "unknown-operation": {"errors": ERRORS.replace("orders.*", "stock.*")},
    "no-source": {"errors": unsourced(ERRORS)},
    "odd-source": {"errors": ERRORS.replace("https", "http")},
    "unverified-alone": {"errors": ERRORS + "unverified = true\nconfidence = 0.9\n"},
    "catch-all": {"errors": ERRORS.replace('code = "bad"\noperation = "orders.*"\n', "")},
    "twin": {"errors": ERRORS + ERRORS},
    "hidden-operation": {"operations": OPERATIONS + OPERATIONS.replace("orders.list", "orders.all")},
    "hidden-envelope": {"platform": PLATFORM + PLATFORM[PLATFORM.index("[[envelope]]") :].replace('"main"', '"other"')},
    "costly-envelope": {"platform": PLATFORM.replace(TESTED, 'place = "response.header:X"')},
    "slow-pattern": {"errors": ERRORS + 'match = "(a+)+b"\n'},
    "lonely-pack": {"platform": PLATFORM.replace(f'[[hosts]]\npattern = "api.acme.example"\n{SOURCED}', "")},
    "odd-host": {"platform": PLATFORM.replace('pattern = "api.acme.example"', 'pattern = "*"')},
    "unordered-dates": {
        "deprecations": "[[deprecation]]\nid = 'v1'\nwhat = {en = 'a', zh = 'b'}\nannounced_at = 2026-02-01\n"
        f"effective_at = 2026-01-01\n{SOURCED}"
    },
    "unplaced-signature": {"signature": SIGNATURE.replace("algorithm", 'use = "callback"\nalgorithm', 1)},
    "bare-scheme": {"signature": SIGNATURE[: SIGNATURE.index("[[scheme.tests]]")]},
    "lost-variant": {"signature": SIGNATURE.replace("algorithm", 'variant_of = "none"\nalgorithm', 1)},
    "shown-secret": {"platform": PLATFORM.replace('"token", ', "")},
    "blank-words": {"operations": OPERATIONS.replace("列表", " ")},
    "untold-grant": {
        "platform": PLATFORM.replace('[issued]\naccess_token = ["response.json:/access_token"]\n', ""),
        "operations": OPERATIONS + 'grant = "refresh_token"\n',
    },
    "untested-envelope": {"platform": PLATFORM[: PLATFORM.index("[[envelope.test]]")]},
    "does-not-load": {"errors": ERRORS + "colour = 1\n"},
    "vector": {"signature": SIGNATURE.replace("17540", "00000")},
    "envelope-test": {"platform": PLATFORM.replace('error_code = "bad"', 'error_code = "good"')},
    "one-sided-tests": {"platform": PLATFORM[: PLATFORM.rindex("[[envelope.test]]")]},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(TRIPS))
def test_trips(tmp_path: Path, name: str) -> None:
    found = [f for f in lint([write(tmp_path, **TRIPS[name])]) if f.name == name]
    assert found, name
    assert all(f.pack == "acme" and f.file.endswith(".toml") and f.recommendation and f.what for f in found)


def test_every_lint_is_tripped_by_a_test() -> None:
    assert {each.name for each in LINTS} <= TRIPS.keys()
    assert len({each.name for each in LINTS}) == len(LINTS)


def test_findings_name_their_line(tmp_path: Path) -> None:
    text = ERRORS + ERRORS.replace('"bad"', '"worse"').replace("request.malformed", "request.none")
    found = lint([write(tmp_path, errors=text)])
    assert [(f.name, f.line) for f in found] == [("unknown-id", 7)]
    assert str(found[0]).startswith(
        f"{(tmp_path / 'acme' / 'errors.toml').as_posix()}:7: error: unknown-id: cause request.none;"
    )


@pytest.mark.parametrize(
    ("pattern", "slow"),
    [
        ("(a+)+", True),
        ("(?:[a-z]*)*x", True),
        ("(a|b+)+", True),
        ("(-[a-z]+)+", False),
        ("a+b+", False),
        ("(?:ab)+", False),
    ],
)
def test_slow_patterns(tmp_path: Path, pattern: str, slow: bool) -> None:
    found = lint([write(tmp_path, errors=ERRORS + f"match = '{pattern}'\n")])
    assert [f.name for f in found] == ["slow-pattern"] * slow


def test_packs_that_claim_the_same(tmp_path: Path) -> None:
    write(tmp_path)
    other = PLATFORM.replace('id = "acme"', 'id = "other"\naliases = ["ACME"]', 1)
    write(tmp_path, "other", platform=other)
    assert {f.name for f in lint([tmp_path])} >= {"shared-alias", "shared-host"}


def test_a_users_folder_is_linted_with_the_pack_it_extends(tmp_path: Path) -> None:
    own = tmp_path / "own" / "acme"
    own.mkdir(parents=True)
    (own / "errors.toml").write_text(
        ERRORS.replace('"bad"', '"mine"').replace("request.malformed", "no.cause"), "utf-8"
    )
    found = lint([write(tmp_path / "shipped"), own.parent])
    assert [(f.name, f.what) for f in found] == [("unknown-id", "cause no.cause")]


def test_coverage(tmp_path: Path) -> None:
    found = {c.pack: c for c in coverage([write(tmp_path)])}
    acme = found["acme"]
    assert (acme.operations, acme.codes, acme.schemes, acme.vectors, acme.envelopes, acme.envelope_tests) == (
        1,
        1,
        1,
        1,
        1,
        2,
    )
    assert found["common"].rows == 0
