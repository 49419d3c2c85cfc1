# make run        simulate the quickstart scenario (sets everything up first)
# make test       the whole test suite
# make lint       style, types, floors, spelling
# make bench      speed against a plain SimPy script, memory, exact throttle math
# make test-slow  the tests that take minutes
# make docs-assets  the pictures of the README
# make browser    Chromium and axe-core, for the tests that look at the report (they are skipped else)
# make clean      forget what was built, compiled and installed

PYTHON ?= python3
WORKERS ?= 2

BIN := .venv/bin
COMPILED := arrays draws traffic gateway backends engine
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := run
.PHONY: run test test-slow lint format bench docs-assets browser clean

run: .venv/run.stamp
	$(BIN)/apisim run scenarios/quickstart.yaml

test: .venv/dev.stamp .venv/compiled.stamp
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --benchmark-disable

test-slow: .venv/dev.stamp
	$(BIN)/python -m pytest -q -m slow --benchmark-disable

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/bench.stamp
	$(BIN)/python -m benchmarks
	$(BIN)/python -m pytest -q benchmarks --benchmark-only --benchmark-columns=min,mean,rounds

docs-assets: .venv/dev.stamp
	$(BIN)/python -m tests.docs.assets

# What cannot be installed here is left out, without a word and without an error.
APT := DEBIAN_FRONTEND=noninteractive apt-get
browser:
	@command -v chromium > /dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && \
	  { $(APT) install -y chromium || { $(APT) update && $(APT) install -y chromium; }; }; } \
	  > /dev/null 2>&1 < /dev/null || true
	@[ -e node_modules/axe-core ] || { command -v npm > /dev/null && \
	  npm install --no-save --no-package-lock --prefix . axe-core@4; } > /dev/null 2>&1 || true

clean:
	rm -rf .venv node_modules build dist out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------- set-up
# A stamp says which set of packages is there; it is made again when pyproject.toml changes.

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'apisim needs Python 3.11 or newer: make PYTHON=python3.12 ...' >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: pyproject.toml | .venv/bin/python
	$(PIP) --editable .
	@touch $@

.venv/dev.stamp: pyproject.toml | .venv/bin/python
	$(PIP) --editable '.[parquet,notebook,dask,dev]'
	@touch .venv/run.stamp $@

# The engine, compiled once for all workers; each has a cache of its own (tests/conftest.py), as two
# may not fill one at once.
.venv/compiled.stamp: $(shell find $(COMPILED:%=apisim/%) -name '*.py') .venv/dev.stamp
	$(BIN)/python -m tests.compile
	@touch $@

.venv/bench.stamp: pyproject.toml | .venv/bin/python
	$(PIP) --editable '.[parquet,bench]'
	@touch .venv/run.stamp $@
