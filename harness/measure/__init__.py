"""Figures and verdicts: pure functions over a finished journal. See `shared` definitions in docs/measures.md."""
