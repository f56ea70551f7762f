# A list of what can be done; each is a script that can be called by itself.
# CLUSTER=devcluster (default), current (your kubectl context) or kind.

.PHONY: help install demo demo-down test test-unit prove check fix crds render images lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' Makefile

install: ## make .venv from the locked requirements
	scripts/install

demo: ## a cluster, Winnow on it, a search, the compression of its winner, and a server of that
	scripts/demo

demo-down: ## remove all that the demo made
	scripts/demo --down

test: ## everything but the long proofs: unit, contract, control plane, real pods
	scripts/test

test-unit: ## the quick tests alone
	scripts/test unit

prove: ## the long proofs: crash matrix, throughput, writes per trial
	scripts/test prove

check: ## linter, formatter, types, layers, generated files, chart
	scripts/check

fix: ## let formatter and linter mend what they can, then check
	scripts/check --fix

crds: ## write the CRDs anew from the models
	scripts/crds

render: ## write the chart's copy of the CRDs and the plain manifests anew
	scripts/render

images: ## build all images
	scripts/image build operator
	scripts/image build trainer
	scripts/image build server

lock: ## resolve the requirements anew and lock them with their hashes
	scripts/lock

clean: ## remove .venv and caches of tools (the devcluster has its own `down --purge`)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
