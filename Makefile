# Every command of a developer's day. `make demo` and `make test` need Python 3.9+, make and, for the tests, a C compiler.

PYTHON ?= python3
BIN := .venv/bin
CHECK := $(BIN)/python tools/check.py

.PHONY: help demo build fmt lint check test race fuzz bench process other compat hosts docs wheel sdist wheels
.NOTPARALLEL:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' Makefile

demo: $(BIN)/python ## Build and install the package into .venv, then stream an answer from the built-in `echo` provider
	rm -rf build
	$(BIN)/python -m pip install --quiet --disable-pip-version-check .
	$(BIN)/pyagent demo

build: $(BIN)/python ## Set up .venv for development, with the library built in the source tree
	$(BIN)/python tools/develop.py

fmt: build ## Format Go and Python
	$(CHECK) fmt

lint: build ## gofmt, go vet, staticcheck, ruff, mypy
	$(CHECK) lint

check: build ## The quick round before a commit: lint, Go tests, unit and shape tests
	$(CHECK) lint unit

test: build ## Everything, with all its own set-up
	$(CHECK) lint race fuzz pytest

race: build ## Go tests under the race detector
	$(CHECK) race

fuzz: build ## Each fuzz target, FUZZTIME=3s each
	$(CHECK) fuzz

bench: build ## Measure against other clients on one loopback server
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[bench]'
	$(CHECK) bench

process: build ## Unit and system tests through the core in a process of its own
	$(CHECK) process

other: build ## The same tests on another Python: make other OTHER=pypy3
	$(BIN)/python tools/other.py $(OTHER)

compat: build ## Hold pyagent against vendors' own packages, and against those that it replaces
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[compat]'
	$(CHECK) compat

hosts: build ## Build and check the bindings of other languages whose tools are installed
	$(BIN)/python tools/hosts.py

docs: build ## Check links and run the code in the documentation and the examples
	$(CHECK) docs

wheel: build ## Build the wheel and the source distribution into dist/
	rm -rf build dist
	$(CHECK) wheel

sdist: wheel ## Install the source distribution without Go and C compiler, and then without network
	$(BIN)/python tools/sdist_check.py dist/pyagent-*.tar.gz

wheels: build ## Cross-build the wheels for Linux and Windows into dist/, and check them
	rm -rf dist
	$(BIN)/python tools/wheels.py

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9) and "pyagent needs Python 3.9 or newer: make PYTHON=...")'
	$(PYTHON) -m venv .venv
