"""`python -m openclaw_forensics`: the same command."""

from __future__ import annotations

from openclaw_forensics.cli import main

if __name__ == "__main__":
    main()
