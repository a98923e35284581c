# Shared Sessions. `make demo` and `make test` install what they need.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# Tests and benchmarks start hundreds of programs: what is compiled is kept, whatever the shell says.
test attack bench: export PYTHONDONTWRITEBYTECODE =

# A browser that never answers ends its worker after five minutes, so that the run ends, and names the test.
ENDS := --max-worker-restart 1 -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true

.PHONY: help demo test check format attack bench screenshots browser lock

help:  ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Shared Sessions needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(INSTALLED)  ## start the whole system with thirteen sandbox universities
	@exec $(BIN)/python -m sandbox_lms.demo $(DEMO)

browser:
	@sh tests/browser/install_chromium.sh

test: $(INSTALLED) browser  ## install what the tests need, run them all
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ENDS)

check: $(INSTALLED)  ## format, lint, types, direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)  ## write the format that `make check` wants
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

screenshots: $(INSTALLED) browser  ## every page at 320, 768 and 1280 px, light and dark, into build/screenshots
	$(BIN)/python -m tests.browser.screenshots

attack: $(INSTALLED)  ## 5,000 made-up logins and launches, 1,600 faulty courses; `make test` has a few of them
	ALL_ATTACKS=1 $(BIN)/python -m pytest tests/integration/lti/test_any_input.py tests/integration/test_mirror_faults.py

bench: $(INSTALLED)  ## performance as ratios against a floor of the same run
	$(BIN)/python -m tests.benchmarks

lock: $(INSTALLED)  ## write the lock files anew from pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-options --output-file requirements.txt pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-options --extra sandbox --extra test --extra check --output-file requirements-dev.txt pyproject.toml
