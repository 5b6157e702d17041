# Everything a developer needs. `make demo` and `make test` work from a bare clone with python3, pip, venv and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
ARGS   ?=

# One thread per process: the matrices are small, and several processes share the machine.
export OPENBLAS_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help demo test check bench lock protocols docs clean

help:  ## list the targets
	@grep -hE '^[a-z ]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit("Leadline needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: $(STAMP)  ## a whole federation on this machine, e.g. make demo ARGS="--sites 6 --no-serve --out DIR"
	$(BIN)/python docker/federation.py $(ARGS)

test: $(STAMP)  ## run every test, e.g. make test ARGS="-k ledger"
	$(BIN)/python -m pytest $(ARGS)

check: $(STAMP)  ## style, types, borders between packages, generated files, the wheel
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy node coordinator protocols privacy docker tools
	$(BIN)/lint-imports
	$(BIN)/python -m tools.generate --check
	$(BIN)/python -m tools.wheel

bench: $(STAMP)  ## measure accuracy and speed (tests/bench)
	$(BIN)/python -m tests.bench $(ARGS)

lock: $(STAMP)  ## resolve the dependencies again, into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --all-extras --no-annotate --no-header --no-emit-index-url \
	    --upgrade pyproject.toml -o requirements.lock

protocols docs: $(STAMP)  ## write generated code and pages again
	$(BIN)/python -m tools.generate

clean:  ## remove what the demo and the tools left behind
	rm -rf demo build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
