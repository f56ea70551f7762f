"""devcluster: a real single-node Kubernetes for development, tests and the demo."""
