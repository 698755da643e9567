"""Records samples anew: `python -m record NAME...` in this folder's parent; without a name, all of them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent
SCENARIOS = {"token-cascade": "token_cascade"}


def main(names: list[str]) -> None:
    """Record these samples into their folders."""
    for name in names or SCENARIOS:
        module = importlib.import_module(f"record.scenarios.{SCENARIOS[name]}")
        module.record(SAMPLES / name / "captures")
        print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
