"""Reconciles SearchJobs."""
