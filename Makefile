# `make demo` runs the main job on the recorded sample pages; `make test` passes the tests. Both build .venv first.
PYTHON ?= python3
VENV := .venv
# What is installed beside the package; the tests of rendered pages need `browser` too, and skip without it.
EXTRAS ?= dev
BIN := $(VENV)/bin
# postgresql://USER:PASSWORD@HOST/DATABASE for the PostgreSQL half of the tests; without it that half is skipped.
export IPRWATCH_TEST_POSTGRESQL
# The environment overrules configuration files: a set IPRWATCH_DATABASE would get the demo's invented items.
unexport $(filter-out IPRWATCH_TEST_%,$(filter IPRWATCH_% iprwatch_%,$(.VARIABLES)))

.PHONY: demo test lint clean

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "iprwatch needs Python 3.11 or newer, this is %s; name one: make PYTHON=python3.12" % sys.version.split()[0])'
	@echo "Building $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

demo: $(VENV)/installed
	@$(BIN)/iprwatch --config samples/iprwatch.toml crawl --replay samples --alert-baseline
	@$(BIN)/iprwatch --config samples/iprwatch.toml search 商标
	@$(BIN)/iprwatch --config samples/iprwatch.toml stories list

test: $(VENV)/installed
	@$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

clean:
	rm -rf demo $(VENV) *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
