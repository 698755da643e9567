"""What is hidden in text of each notation, and what must stay."""

from __future__ import annotations

import pytest

from openclaw_forensics.platforms.load import load
from openclaw_forensics.redact.names import Names, names
from openclaw_forensics.redact.texts import Texts
from openclaw_forensics.redact.vault import Vault, finish, scrub

SECRET = "s3cr3t-V4lue/with+plus="


@pytest.fixture(scope="module")
def known() -> Names:
    return names(head.platform for head in load().heads.values())


def hidden(known: Names, text: str) -> str:
    return finish(Texts(known, Vault(known.prefixes)).hide(scrub(text)))[0]


HIDE = {
    "json": f'{{"refresh_token":"{SECRET}","x":1}}',
    "json spaced": f'{{ "access_token" : "{SECRET}" }}',
    "json escaped": '{"body":"{\\"access_token\\":\\"' + SECRET + '\\"}"}',
    "json array": f'{{"phone":["{SECRET}"]}}',
    "json nested": f'{{"recipient_address":{{"name":"{SECRET}","lines":["{SECRET}"]}}}}',
    "form": "grant_type=refresh_token&refresh_token="
    + SECRET.replace("+", "%2B").replace("=", "%3D").replace("/", "%2F"),
    "query": f"https://h.example/p?shop_id=1&sign={SECRET[:10]}abcdef0123456789&x=1".replace(SECRET[:10], "s3cr3tV4lu"),
    "header": f"Authorization: Bearer {SECRET}\nHost: x",
    "header line in a log": f"> X-Shopify-Access-Token: {SECRET}\n",
    "xml": f"<Request><eBayAuthToken>x</eBayAuthToken><client_secret>{SECRET}</client_secret></Request>",
    "python": f"{{'client_secret': '{SECRET}', 'a': None}}",
    "php": f"    [app_secret] => {SECRET}\n",
    "php array": f"'password' => '{SECRET}',",
    "jwt": "token is eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U ok",
    "mail": "buyer wrote from jane.doe@example.com today",
    "phone": "call +49 170 1234567 now",
    "phone cn": "收件人电话 13812345678",
    "chinese name": '{"收件人":"张三丰","手机":"13812345678"}',
    "oauth code": "grant_type=authorization_code&code=ANbCdEfGhIjKlMnO1234&redirect_uri=x",
    "bearer": f"curl -H 'authorization: bearer {SECRET}'",
    "password of an environment": "PWD=hunter2-and-more ; USER=root",
    "password with a stroke": "DB_HOST=db PWD=/Zm9vYmFyLg==; x",
    "password of a form": "user=erp&pwd=/srv/erp",
    "password in a path's name": '{"password":"/srv/erp/key"}',
}
GONE = {
    "password of an environment": "hunter2", "password with a stroke": "Zm9vYmFy", "password of a form": "/srv/erp",
    "password in a path's name": "/srv/erp/key",
    "oauth code": "ANbCdEfGh",
    "jwt": "dozjgNryP4J3", "mail": "jane.doe@", "phone": "1234567", "phone cn": "13812345678", "chinese name": "张三丰",
    "query": "s3cr3tV4lu", "form": "s3cr3t",
}  # fmt: skip


@pytest.mark.parametrize("name", HIDE)
def test_hidden(known: Names, name: str) -> None:
    shown = hidden(known, HIDE[name])
    assert GONE.get(name, SECRET) not in shown
    assert "#1" in shown


KEEP = {
    "next token": '{"nextToken":"2YgYW55IGNhcm5hbCBwbGVhc3VyZS4"}',
    "ids": '{"order_sn":"2404098A1B2C3D","sku":"ABC-12345678","tracking_number":"LX123456789DE","shop_id":123456789}',
    "error code": '{"code":"InvalidInputValue","errorId":25007,"error_code":"error_auth_long_name"}',
    "status in a line": "answered code=400 in 12 ms",
    "grant": "grant_type=refresh_token",
    "message": '{"message":"The access token is invalid","error":"invalid_grant"}',
    "literals": '{"access_token":null,"password":"","sign":false}',
    "already masked": '{"access_token":"***","refresh_token":"[REDACTED]"}',
    "words": "Invalid sign. Check your signature: see the docs",
    "order number like a phone": '{"ordersn":"13812345678"}',
    "sudo": "sudo: erp : TTY=pts/0 ; PWD=/var/www/erp-sync ; USER=root ; COMMAND=/usr/bin/systemctl restart erp",
    "root folder": "cron: PWD=/ OLDPWD=/home/erp.user/",
    "environment in json": '{"env":{"PWD":"/srv/erp","OLDPWD":"/","HOME":"/root"}}',
    "environment in escaped json": '{"env":"{\\"PWD\\":\\"/srv/erp\\"}"}',
    "environment of php": "    [PWD] => /var/www/html\n",
    "environment of windows": "PWD=C:\\erp\\sync; x",
    "request id": "x-amzn-requestid: 0bb3afcc-f5a3-7726-606b-57995d931845",
}


@pytest.mark.parametrize("name", [k for k in KEEP if k != "order number like a phone"])
def test_kept(known: Names, name: str) -> None:
    assert hidden(known, KEEP[name]) == KEEP[name]


def test_one_secret_has_one_name_everywhere(known: Names) -> None:
    texts = Texts(known, Vault(known.prefixes))
    first = finish(texts.hide(f'{{"refresh_token":"{SECRET}"}}'))[0]
    later = finish(texts.hide(f"the token {SECRET} was refused"))[0]
    name = first.split('"')[3]
    assert name.endswith("refresh_token#1")
    assert name in later


def test_short_values_and_words_are_hidden_only_where_they_stand(known: Names) -> None:
    texts = Texts(known, Vault(known.prefixes))
    assert "abc" not in finish(texts.hide('{"password":"abc"}'))[0]
    assert finish(texts.hide("abc and password are words"))[0] == "abc and password are words"


def test_our_marks_cannot_be_forged(known: Names) -> None:
    forged = "\ue000access_token#1\ue001"
    assert "\ue000" not in hidden(known, forged)
    _, places = finish(Texts(known, Vault()).hide(scrub(forged)))
    assert places == []


def test_places_point_at_the_names(known: Names) -> None:
    text, places = finish(Texts(known, Vault()).hide(f'{{"a":1,"client_secret":"{SECRET}"}}'))
    assert [text[a:b] for a, b, _ in places] == ["client_secret#1"]


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        pytest.param("/request/body/recipient_address/name", "张三", id="short name below an address"),
        pytest.param("/request/body/lines/0/receiver_name", "Li", id="short name"),
        pytest.param("/request/headers/authorization", "Bearer abc", id="header"),
        pytest.param("/url/code", "ANbCdEfG", id="code of a query"),
        pytest.param("/url/sign", "0a1b", id="signature of a query"),
    ],
)
def test_a_value_is_hidden_for_its_place(known: Names, pointer: str, value: str) -> None:
    shown = finish(Texts(known, Vault()).at(pointer, value))[0]
    assert value not in shown
    assert "#1" in shown


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        pytest.param("/request/body/sku", "MUG-1", id="sku"),
        pytest.param("/response/body/code", "INVALID_SIGN", id="code of an answer"),
        pytest.param("/url/code", "400", id="short code"),
    ],
)
def test_a_value_of_another_place_stays(known: Names, pointer: str, value: str) -> None:
    assert finish(Texts(known, Vault()).at(pointer, value))[0] == value


def test_the_beginning_of_a_secret_keeps_its_name(known: Names) -> None:
    texts = Texts(known, Vault())
    long = "s3cr3t/" * 60
    texts.hide(f'{{"refresh_token":"{long}"}}')
    assert finish(texts.at("/request/body/refresh_token", long[:200]))[0] == "refresh_token#1"
