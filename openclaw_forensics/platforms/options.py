"""What annotation is told beside the frames and the packs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnnotateOptions:
    """`key` makes fingerprints comparable within one run only; it is never written anywhere."""

    key: bytes
    platforms: tuple[str, ...] = ()  # resolved ids the user gave: a scope and a hint; empty: recognise per exchange
    receivers: tuple[str, ...] = ()  # HOST[/PATH]: requests to these addresses are callbacks
