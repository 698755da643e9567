"""Across files: zones of stamps without one, doubles dropped, and who is who."""
