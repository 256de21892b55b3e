# Everything runs in .venv, made here from constraints.txt; nothing outside this folder is touched.
# PYTHON names the interpreter (3.11 or later), JOBS the number of test processes.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test docs clean

demo: $(READY)
	$(BIN)/python examples/digits.py

test: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -n $(JOBS) --cov --cov-report=term

docs: $(READY)
	$(BIN)/python -m torch2om.reference_docs docs

# torchvision names a torch build of its own kind as its dependency; --no-deps keeps the one that constraints.txt names.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[torch,dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps torchvision
	touch $(READY)

clean:
	rm -rf $(VENV) out
