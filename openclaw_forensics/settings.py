"""What the user says beside the captures: options, the facts of the ticket, keys."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from openclaw_forensics.errors import UsageError


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Case(_Model):
    """Facts of the ticket: printed in the report, never evidence."""

    erp: str | None = None
    erp_version: str | None = None
    platform: str | None = None
    site: str | None = None
    environment: str | None = None
    shop: str | None = None
    symptom: str | None = None
    reported_at: str | None = None
    tried: tuple[str, ...] = ()


class Secret(_Model):
    """One key, to check signatures or decrypt; never written anywhere."""

    platform: str
    kind: Literal["signing_key", "webhook_key", "client_secret", "aes_key", "aes_iv"]
    value: SecretStr
    app: str | None = None
    shop: str | None = None
    encoding: Literal["text", "hex", "base64"] = "text"
    until: date | None = None


class SecretsFile(_Model):
    """`--secrets FILE`."""

    secret: tuple[Secret, ...] = ()


class Settings(_Model):
    """The options of `analyze`, most shared by the other commands."""

    platforms: tuple[str, ...] = ()  # ids as the user gave them; empty or "auto": recognise
    timezone: str | None = None  # IANA name or offset such as +08:00
    since: datetime | None = None
    until: datetime | None = None
    shop: str | None = None
    order: str | None = None
    operation: str | None = None
    request_id: str | None = None
    input_format: str | None = None
    formats_dirs: tuple[Path, ...] = ()
    rules_dirs: tuple[Path, ...] = ()
    receivers: tuple[str, ...] = ()
    case: Case | None = None
    secrets: tuple[Secret, ...] = Field(default=(), repr=False, exclude=True)
    hide_ids: bool = False
    no_redact: bool = False
    now: datetime | None = None
    strict: bool = False

    def shown(self) -> dict[str, Any]:
        """Those that shaped the result, for the document; never a secret."""
        data = self.model_dump(mode="json", exclude={"case", "secrets"}, exclude_defaults=True)
        for key in ("formats_dirs", "rules_dirs"):
            if key in data:
                data[key] = [str(p).replace("\\", "/") for p in data[key]]
        if self.secrets:
            data["secrets"] = len(self.secrets)
        return data


def _toml(path: Path, what: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{what} {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{what} {path} is not TOML: {error}") from error


def load_case(path: Path) -> Case:
    """`--case FILE`. Raises UsageError when it is not such a file."""
    data = _toml(path, "case file")
    try:
        return Case.model_validate(data)
    except ValidationError as error:
        raise UsageError(f"case file {path}: {_brief(error)}") from error


def load_secrets(path: Path) -> tuple[Secret, ...]:
    """`--secrets FILE`. Raises UsageError, which never quotes a value, when it is not such a file."""
    data = _toml(path, "secrets file")
    try:
        return SecretsFile.model_validate(data).secret
    except ValidationError as error:
        raise UsageError(f"secrets file {path}: {_brief(error)}") from error


def _brief(error: ValidationError) -> str:
    """Place and reason of each mistake, without the input, which may be secret."""
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
