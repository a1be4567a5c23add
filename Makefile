# `make help` lists the targets; every recipe works from a bare checkout.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
.PHONY: help setup setup-dev demo test check chaos bench simulate crash-matrix

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.runtime ## what Postroom needs to run, in .venv
.venv/.runtime: requirements/runtime.txt pyproject.toml scripts/setup
	@scripts/setup runtime

setup-dev: .venv/.dev ## the same and what tests and checks need
.venv/.dev: requirements/dev.txt pyproject.toml scripts/setup
	@scripts/setup dev

demo: .venv/.runtime ## bring everything up and print the address (DEMO_ARGS="…" goes to postroom demo)
	@exec .venv/bin/postroom demo $(DEMO_ARGS)

test: .venv/.dev ## the whole suite (TEST_ARGS="…" goes to pytest)
	@exec scripts/test $(TEST_ARGS)

check: .venv/.dev ## lint, types, layers, migrations, templates
	@exec scripts/check

chaos: .venv/.dev ## real workers, real kills, a database restart, a push storm (MINUTES=1; CHAOS_ARGS="…" goes to scripts/chaos)
	@exec scripts/chaos --minutes $(or $(MINUTES),1) $(CHAOS_ARGS)

SEEDS ?= 300
FROM ?= 0
simulate: .venv/.dev ## that many histories in which everything goes wrong (SEEDS=300 FROM=0 PLANTED=1)
	@exec scripts/simulate --seeds $(SEEDS) --from $(FROM) $(if $(PLANTED),--planted)

RUNS ?= 300
crash-matrix: .venv/.dev ## that many messages sent under kills and lost connections at every step (RUNS=300)
	@exec scripts/crash-matrix --runs $(RUNS)

bench: .venv/.dev ## every benchmark (BENCH=name for one), a JSON line each
	@exec $(PY) -m bench $(BENCH)
