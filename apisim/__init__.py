"""Discrete-event performance and cost simulator of Amazon API Gateway."""

__version__ = "0.1.0"
