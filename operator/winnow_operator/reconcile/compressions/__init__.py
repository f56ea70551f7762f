"""Reconciles CompressionJobs."""
