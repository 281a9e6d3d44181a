"""Benchmarks: every promise in figures, measured beside its peer in one run."""
