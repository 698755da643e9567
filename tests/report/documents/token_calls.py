"""The calls of the token cascade: a refresh, and a call with the token that it should have renewed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from openclaw_forensics.result import (
    ExchangeView,
    Hidden,
    Mark,
    SourcePlace,
)
from tests.report.documents.parts import (
    ERP_LOG,
    both,
    exchange,
    headers,
    message,
)


def refresh(ident: str, when: datetime, ok: bool) -> ExchangeView:
    form = "grant_type=refresh_token&refresh_token=refresh_token#1&client_id=amzn1.app.7"
    start = form.index("refresh_token#1")
    answer: dict[str, object] = {"error": "invalid_grant", "error_description": "The refresh token has expired", "n": 1}
    if ok:
        answer = {"access_token": "access_token#1", "expires_in": 3600}
    text = json.dumps(answer)
    pill = Hidden(pointer="/body", start=start, end=start + 15, name="refresh_token#1", length=342)
    token = text.find("access_token#1")
    issued = (Hidden(pointer="/body", start=token, end=token + 14, name="access_token#1", length=402),) if ok else ()
    marks = (
        Mark(
            pointer="/response/body/error",
            kind="code",
            why=both("the code that names the dead token", "说明令牌失效的错误码"),
        ),
        Mark(
            pointer="/request/body/refresh_token",
            kind="value",
            why=both("the same token as at 13:58", "与 13:58 所用的是同一个令牌"),
        ),
    )
    return exchange(
        ident,
        when,
        operation="token.refresh",
        url="https://api.example.com/auth/o2/token",
        status=200 if ok else 400,
        failed=not ok,
        failure=None if ok else "status",
        root_cause=None if ok else "rc1",
        error_code=None if ok else "invalid_grant",
        error_message=None if ok else "The refresh token has expired",
        attempt=1 if ok else 2,
        duration_ms=412.0,
        request=message(
            form, names=headers(Content_Type="application/x-www-form-urlencoded", User_Agent="erp/8.2"), hidden=(pill,)
        ),
        response=message(
            answer, names=headers(Content_Type="application/json", Date="Tue, 17 Mar 2026 06:02:11 GMT"), hidden=issued
        ),
        marks=() if ok else marks,
        stack=None
        if ok
        else "com.acme.erp.AuthException: invalid_grant\n\tat com.acme.erp.Auth.refresh(Auth.java:88)\n"
        + "".join(f"\tat okhttp3.internal.Call.step{i}(Call.java:{i})\n" for i in range(9))
        + "\tat com.acme.erp.Job.run(Job.java:12)",
        sources=(
            SourcePlace(
                file=ERP_LOG,
                line=1100 if ok else 1204,
                locator="lines:1204-1210",
                raw_stamp=f"{when + timedelta(hours=8):%Y-%m-%d %H:%M:%S},123",
            ),
        ),
    )


def refused_call(ident: str, when: datetime, line: int) -> ExchangeView:
    return exchange(
        ident,
        when,
        status=401,
        failed=True,
        failure="status",
        root_cause="rc1",
        error_code="Unauthorized",
        error_message="The access token you provided has expired.",
        request=message(
            {"marketplaceId": "ATVPDKIKX0DER", "orderNumber": 12345678901234567890, "note": "-"},
            names=(("Authorization", "Bearer access_token#1"), ("x-amz-date", f"{when:%Y%m%dT%H%M%SZ}")),
            hidden=(Hidden(pointer="/headers/0", start=7, end=21, name="access_token#1", length=402),),
        ),
        response=message(
            {"errors": [{"code": "Unauthorized", "message": "The access token you provided has expired."}]},
            names=headers(Content_Type="application/json"),
        ),
        sources=(SourcePlace(file=ERP_LOG, line=line, locator=f"lines:{line}-{line + 4}", raw_stamp=f"{when:%H:%M}"),),
    )
