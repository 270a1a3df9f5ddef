# make install   the program in .venv/bin/syncd
# make demo      a simulated company against the real daemon
# make test      all tests but those of make test-servers
# make test-postgresql   what touches the store, in a PostgreSQL; make test takes the half of it
# make fuzz      a million damaged rows for each driver of call records, files of a gigabyte
# make sweep     kill -9 and faults at every system call, thousands of orders of arrival: half an hour
# make test-leaks   a million comparisons of what viewers get with what the rules say
# make bench-reports   reports over ten million calls, in both databases, DuckDB beside: 20 GB, an hour
# make test-servers   the tests against whole directory servers, as root; CI runs both
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATED := setup.cfg pyproject.toml constraints.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
JOBS ?= auto
PYTEST_OPTIONS ?=
STORED := tests/integration tests/security tests/system tests/unit/test_scope.py \
    tests/unit/test_write_transaction.py
# What make test takes of it: the rest goes through the same code by the command line.
STORED_ALWAYS := tests/integration tests/security/test_leaks.py tests/unit/test_scope.py \
    tests/unit/test_write_transaction.py
FUZZ_ROWS ?= 1000000
LEAKS ?= 1000000

.PHONY: help install demo test test-postgresql fuzz test-leaks test-servers check bench bench-reports format render servers clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# make/make/p' Makefile
	@echo "also: make check | format | render | bench | clean"

$(BIN)/python:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	    echo "This Python cannot make virtual environments: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp for each set of packages: nothing is done while setup.cfg, pyproject.toml and
# constraints.txt are older.
$(VENV)/.installed: $(STATED) | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-%: $(STATED) | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable '.[$*]'
	@touch $@ $(VENV)/.installed

install: $(VENV)/.installed

demo: install
	$(BIN)/syncd demo

servers:
	@.ci/servers

check: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict syncd
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/render.py --check

test: $(VENV)/.installed-dev servers check
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(PYTEST_OPTIONS)
	$(MAKE) --no-print-directory test-postgresql STORED="$(STORED_ALWAYS)"

# The tests that touch the store once more, in a PostgreSQL that they start for themselves.
test-postgresql: $(VENV)/.installed-dev servers
	SYNCD_TEST_STORE=postgresql $(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(STORED) \
	    $(PYTEST_OPTIONS)

# Prints the seed of a failure; SYNCD_FUZZ_SEED repeats it.
fuzz: $(VENV)/.installed-dev
	SYNCD_SPARSE_MB=1024 $(BIN)/python -m pytest tests/integration/test_accidents.py -k huge \
	    --timeout 3600 $(PYTEST_OPTIONS)
	SYNCD_FUZZ_ROWS=$(FUZZ_ROWS) $(BIN)/python -m pytest tests/contract/test_mutations.py \
	    -n $(JOBS) --timeout 3600 $(PYTEST_OPTIONS)

# A few points of it are part of make test, others each time; SYNCD_SEED=N takes the same ones again.
sweep: $(VENV)/.installed-dev servers
	SYNCD_SWEEP=all $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -o timeout=0 \
	    tests/crash tests/integration/test_any_order.py tests/integration/test_any_order_mixed.py \
	    $(PYTEST_OPTIONS)

# Some ten thousand comparisons for each generated company; make test has a few companies.
test-leaks: $(VENV)/.installed-dev
	SYNCD_LEAKS=$(LEAKS) $(BIN)/python -m pytest tests/security -n $(JOBS) --dist worksteal \
	    $(PYTEST_OPTIONS)

# Domain controllers have fixed ports: one process, one server at a time.
test-servers: $(VENV)/.installed-dev servers
	$(BIN)/python -m pytest tests/servers $(PYTEST_OPTIONS)

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks

# CALLS=1000000 for fewer; KEEP=DIR leaves the database there, or measures the one that is there.
CALLS ?= 10000000
KEEP ?=
bench-reports: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.reports --calls $(CALLS) $(if $(KEEP),--keep $(KEEP))

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Writes what comes from the schema of options and from the command line's parser.
render: $(VENV)/.installed
	$(BIN)/python tools/render.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
