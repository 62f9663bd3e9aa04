# Everything runs in .venv, made on first use and renewed when what it was made from has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: app test lint bench clean

app: $(STAMP)
	$(BIN)/augimpact app

# On several cores, a file's tests on one of them: they share pages and servers. Each process has some 2 GB.
test: lint
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m benchmarks.sweep
	$(BIN)/python -m benchmarks.gif
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.methods
	$(BIN)/python -m benchmarks.device
	$(BIN)/python -m benchmarks.latency
	$(BIN)/python -m benchmarks.sessions
	$(BIN)/python -m benchmarks.data
	$(BIN)/python -m benchmarks.profiling
	$(BIN)/python -m benchmarks.impact
	$(BIN)/python -m benchmarks.store

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist

$(STAMP): pyproject.toml constraints.txt $(wildcard augimpact/widgets/template/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "augimpact needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip check
	touch $@
