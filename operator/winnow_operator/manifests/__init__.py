"""Kubernetes documents as pure functions: complete dicts, never changed after they are built."""
