"""Captures in, parts out: sources, sniffing and one module per format."""
