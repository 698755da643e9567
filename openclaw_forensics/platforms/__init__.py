"""Packs: their models, how exchanges are recognised and annotated by them, signatures, and their lint."""
