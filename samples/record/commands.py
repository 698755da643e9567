"""The loop of a program that is told what to do: one JSON object a line in, one answer a line out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any


def obey(commands: dict[str, Callable[..., Any]]) -> None:
    """Read commands until the input ends; what a command raises ends the program."""
    for line in sys.stdin:
        order = json.loads(line)
        done = commands[order.pop("do")](**order)
        print(json.dumps(done), flush=True)
