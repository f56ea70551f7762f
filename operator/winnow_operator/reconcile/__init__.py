"""Observe, decide, act: one level-based reconcile per kind, driven by a de-duplicating queue."""
