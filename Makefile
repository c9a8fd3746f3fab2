# Each target prepares what it needs by itself: git, make and python3 (3.11 or newer, with venv) are enough.

.DEFAULT_GOAL := help
.PHONY: help demo test check prove bench soak requirements clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
JOBS ?= 2
NEW_ENOUGH := import sys; raise SystemExit(sys.version_info < (3, 11))

# The first Python here that is new enough; where none is, python3, which is then refused in words.
PYTHON ?= $(or $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo $$python && break; done),python3)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/run.stamp ## the whole story: a month of candles, a real kill, recovery, the same report
	@$(BIN)/tickfold demo

test: $(VENV)/dev.stamp ## every test, warnings as errors
	@$(BIN)/python -m pytest -n $(JOBS) $(TESTS)

check: $(VENV)/dev.stamp ## lint, format, types, the direction of imports, the rules of the house
	@failed=; \
	for step in "ruff check" "ruff format --check" mypy pyright lint-imports "python -m pytest -q tests/house"; do \
		echo "== $$step"; $(BIN)/$$step || failed="$$failed, $$step"; \
	done; \
	if [ -n "$$failed" ]; then echo "Failed: $${failed#, }" >&2; exit 1; fi

prove: $(VENV)/dev.stamp ## the journal's proof at length, with its counts (PROVE="crash --states 1000000"; PROVE=--help)
	@$(BIN)/python -m tests.proof.prove $(PROVE)

bench: $(VENV)/dev.stamp ## every benchmark, one after the other, each beside its physical floor
	@set -e; for benchmark in benchmarks/[!_]*.py; do echo "== $$benchmark"; $(BIN)/python "$$benchmark"; done

soak: $(VENV)/dev.stamp ## one live process, a hundred symbols, a simulated year: its memory must not grow
	@$(BIN)/python benchmarks/_soak.py

requirements: .deps/uv.stamp ## compile requirements/ anew from pyproject.toml (UPGRADE=1: to the newest versions)
	@cd requirements && for set in dev run; do \
		group=dev; with=; if [ $$set = run ]; then group=build; with="--constraint dev.txt"; fi; \
		../.deps/bin/uv --no-config pip compile --quiet --universal --generate-hashes --no-build --no-annotate \
			--no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements" \
			$(if $(UPGRADE),--upgrade) --override overrides.txt $$with \
			--extra web --group ../pyproject.toml:$$group --output-file $$set.txt ../pyproject.toml || exit 1; \
	done

clean: ## remove what the targets made; journals and reports stay
	rm -rf $(VENV) .deps .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment, two stamps: what Tickfold runs on, which the demo needs, and what judges it. The lists are complete
# and hashed, so pip resolves nothing and builds nothing. What the demo imports is compiled as it goes; for the tests all
# is compiled beforehand, on every core, so that a foreign module's syntax warning is not an error of the first test run.
INSTALL := $(PIP) install --no-deps --no-compile --only-binary :all: --require-hashes --requirement

$(VENV)/python.stamp:
	@$(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "Tickfold needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version 2>&1`." \
			"Install a newer one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Making $(VENV) with `$(PYTHON) --version`"
	@$(PYTHON) -m venv $(VENV) || { \
		echo "Python's venv module does not work here; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/run.stamp: $(VENV)/python.stamp requirements/run.txt pyproject.toml
	@echo "Installing what Tickfold runs on into $(VENV)"
	@$(INSTALL) requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	@echo "Installing what tests and checks need into $(VENV) (about a minute)"
	@$(INSTALL) requirements/dev.txt
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	@touch $@

.deps/uv.stamp:
	@$(PYTHON) -m venv .deps
	@.deps/bin/python -m pip --disable-pip-version-check --quiet install uv
	@touch $@
