"""Benchmarks: exact throttle math and engine speed. ``make bench`` runs them all."""
