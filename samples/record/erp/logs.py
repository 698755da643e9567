"""The log files of the ERPs: Python's logging in its usual formats, structlog and python-json-logger for JSON lines."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path

PLAIN = "%(asctime)s %(levelname)-5s [%(threadName)s] %(name)s: %(message)s"
DASHED = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"


class Zoned(logging.Formatter):
    """Stamps with their offset, as ISO 8601 has them."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")


def to_file(name: str, formatter: logging.Formatter, level: int = logging.DEBUG) -> None:
    """Everything that is logged goes to this file of the captures, urllib3's own lines included."""
    handler = logging.FileHandler(Path(os.environ["LOGS"]) / name, encoding="utf-8")
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler])
