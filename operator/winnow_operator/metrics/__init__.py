"""Metrics: those of the operator itself (`own`)."""
