# Everything runs in .venv, made here from constraints.txt; nothing outside this folder is touched.
# PYTHON names the interpreter (3.11 or later), JOBS the number of test processes.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test docs zoo clean

demo: $(READY)
	$(BIN)/python examples/digits.py

test: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -n $(JOBS) --dist worksteal --cov --cov-report=term

docs: $(READY)
	$(BIN)/python -m torch2om.reference_docs docs

# The smallest model of each of timm's families and all of torchvision's, with their page; ZOO holds the rows, so that a
# run that was interrupted goes on. Takes hours; torchvision and torch are there, so timm brings no others.
ZOO ?= out/zoo

zoo: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[zoo]'
	$(BIN)/python -m benchmarks.zoo --families --torchvision --jobs $(JOBS) --out $(ZOO)
	$(BIN)/python -m benchmarks.zoo.page $(ZOO) docs/coverage.md

# torchvision names a torch build of its own kind as its dependency; --no-deps keeps the one that constraints.txt names.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[torch,dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps torchvision
	touch $(READY)

clean:
	rm -rf $(VENV) out
