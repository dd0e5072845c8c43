"""Benchmarks that print ratios, one file per question."""
