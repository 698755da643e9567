"""Which exchanges belong to one authorisation."""

from __future__ import annotations

from tests.link.rows import exchanges, with_identity


def identities(*rows: dict[str, object]) -> list[object]:
    return with_identity(exchanges(*rows))["identity"].to_list()


def issued(*tokens: str) -> list[dict[str, object]]:
    return [{"kind": "access_token", "token": t, "expires_in_s": 3600.0} for t in tokens]


def test_a_refresh_ties_old_and_new_token_to_one_shop() -> None:
    got = identities(
        {"token": "t1", "shop": "s1"},
        {"refresh_token": "r1", "issued_tokens": issued("t2")},
        {"token": "t2", "shop": "s1"},
        {"token": "t9", "shop": "s2"},
    )
    assert got[0] == got[1] == got[2] != got[3]


def test_one_app_with_many_shops_does_not_melt_them() -> None:
    got = identities({"app": "a", "shop": "s1", "token": "t1"}, {"app": "a", "shop": "s2", "token": "t2"})
    assert got[0] != got[1]


def test_what_names_nothing_joins_the_only_identity_of_its_platform() -> None:
    got = identities({"shop": "s1"}, {}, {"platform": "q", "shop": "s9"})
    assert got[0] == got[1] != got[2]


def test_what_names_nothing_stays_alone_among_several() -> None:
    got = identities({"shop": "s1"}, {"shop": "s2"}, {})
    assert got[2] is None


def test_tokens_one_after_the_other_are_one_shops() -> None:
    got = identities({"token": "t1", "at": 0}, {"token": "t1", "at": 5}, {"token": "t2", "at": 9})
    assert got[0] == got[1] == got[2]


def test_tokens_side_by_side_are_not() -> None:
    got = identities({"token": "t1", "at": 0}, {"token": "t2", "at": 3}, {"token": "t1", "at": 5})
    assert got[0] == got[2] != got[1]


def test_the_only_shop_of_an_identity_is_known_to_all_of_it() -> None:
    frame = with_identity(exchanges({"token": "t1", "shop": "s1"}, {"token": "t1"}))
    assert frame["shop"].to_list() == ["s1", "s1"]
