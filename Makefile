# ThreeGaps. Needs Python 3.11, 3.12 or 3.13 and make; everything else is installed into .venv.

SHELL := /bin/sh
VENV ?= .venv
# The first Python that fits; `make PYTHON=/path/to/python run` chooses another.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$name >/dev/null 2>&1 \
	&& $$name -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1 \
	&& { command -v $$name; break; }; done)
BIN := $(VENV)/bin
READY := $(VENV)/ready
WORKERS ?= 2
# The Data Contract CLI needs other packages than the pipeline: an environment of its own.
CONTRACTS := .venv-contracts
FEED ?=
# Byte code is kept, whatever the shell that calls says: without it every process compiles what it imports, which is more
# than half of what Great Expectations (7 seconds of a core in place of 3), Airflow and dbt take to begin.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run stop test contract-test bench docs lint lint-python lint-sql lock environment clean help

help:
	@echo 'make run    from nothing to the first release; the services stay up'
	@echo 'make stop   stop the services'
	@echo 'make test   lint and all tests'
	@echo 'make contract-test    hold contracts, and the raw tables of a running warehouse, against another tool of their standard'
	@echo 'make bench  measure against bare psql'
	@echo 'make docs   renew what is generated: staging, union of slices, wide marts, catalogue, connections, databases of departments;'
	@echo '            and the reference, a static site: open docs/_build/index.html'
	@echo 'make lint   the quick part of make test'
	@echo 'make lock   renew both requirements*.txt from their *.in'

run: $(READY)
	@$(BIN)/threegaps up --run

stop:
	@if [ -x $(BIN)/threegaps ]; then $(BIN)/threegaps down; else echo '这里尚未安装 Nothing is installed here yet.'; fi

environment: $(READY)

# Byte code is made where it is used: compiling all of it first costs half a minute. The lock is whole, so nothing is asked for
# beyond it, and pip of before 23.3 cannot join hashes with extras when it resolves.
$(READY): requirements.txt pyproject.toml
	@test -n '$(PYTHON)' || { echo '没有找到 Python 3.11、3.12 或 3.13:请安装,或用 make PYTHON=/path/to/python'; echo 'No Python 3.11, 3.12 or 3.13 found: install one, or say make PYTHON=/path/to/python'; exit 1; }
	@test -x $(BIN)/python || '$(PYTHON)' -m venv $(VENV)
	@echo '安装软件包,需几分钟,仅此一次 Installing packages into $(VENV): some minutes, once ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(CONTRACTS)/ready: requirements-contracts.txt
	@test -x $(CONTRACTS)/bin/python || '$(PYTHON)' -m venv $(CONTRACTS)
	@$(CONTRACTS)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements-contracts.txt
	@touch $@

contract-test: $(READY) $(CONTRACTS)/ready
	$(BIN)/python -m threegaps.cli.contract_test $(FEED)

lint: lint-python lint-sql

lint-python: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m threegaps.cli.lint
	$(BIN)/mypy

lint-sql: $(READY)
	$(BIN)/python -m threegaps.one_machine.temporary -- $(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt_project/models

# The scheduler of the end-to-end tests waits more than it computes: they run beside the others and print after them.
# What takes longest comes first: a file stays with one worker, and the last one should be short.
test: lint $(CONTRACTS)/ready
	@printed=$$(mktemp); trap 'rm -f "$$printed"' EXIT; \
	$(BIN)/python -m pytest tests/end_to_end -n 2 --dist loadfile -q >"$$printed" 2>&1 & end_to_end=$$!; \
	$(BIN)/python -m pytest tests/unit -n $(WORKERS) -q \
	&& $(BIN)/python -m pytest tests/integration/newcomer tests/golden tests/integration/faults tests/integration \
		-n $(WORKERS) --dist loadfile --no-loadscope-reorder -q; others=$$?; \
	wait $$end_to_end; end_to_end=$$?; \
	echo 'End to end:'; cat "$$printed"; \
	exit $$((others || end_to_end))

bench: $(READY)
	$(BIN)/python -m benchmarks.ingest

docs: $(READY)
	$(BIN)/python -m threegaps.generate
	$(BIN)/python -m threegaps.reference

# One lock for Python 3.11 to 3.13 on every platform, wheels only, each with its hashes.
lock: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --only-binary :all: --emit-build-options --no-strip-extras --generate-hashes --no-header --no-annotate requirements.in --output-file requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --only-binary :all: --emit-build-options --no-strip-extras --generate-hashes --no-header --no-annotate requirements-contracts.in --output-file requirements-contracts.txt

clean: stop
	rm -rf $(VENV) $(CONTRACTS) .mypy_cache .pytest_cache .ruff_cache .hypothesis
