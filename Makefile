# `make demo` and `make test` need Python 3.11 or later with venv, and nothing else.

PORT ?= 8000
# What `make test`, `make bench` and the like pass on, such as ARGS="-k overview".
ARGS ?=
# The first Python that is new enough. `make PYTHON=/path/to/python demo` takes another.
NEW_ENOUGH = -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$python $(NEW_ENOUGH) 2>/dev/null && { echo $$python; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev

# Settings of another project in the caller's shell must not reach this one.
OWN_SETTINGS = unset DJANGO_SETTINGS_MODULE;

.PHONY: help demo test lint format types docs bench clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r target text; do \
		printf '%-14s %s\n' "$$target" "$$text"; done

demo: $(RUNTIME) ## Run the example project with demo data on http://127.0.0.1:8000/ (PORT=... changes it)
	@$(BIN)/python -c 'import socket, sys; sys.exit(socket.socket().connect_ex(("127.0.0.1", $(PORT))) == 0)' || { \
		echo "Port $(PORT) is taken. Take another: make demo PORT=8001" >&2; exit 1; }
	@# The demo's own secret, made once and kept, so that logins outlive a restart.
	@grep -qs '^SECRET_KEY=' .env || { umask 077; \
		$(BIN)/python -c 'import secrets; print("SECRET_KEY=" + secrets.token_urlsafe(50))' >> .env; }
	@$(OWN_SETTINGS) $(BIN)/python manage.py migrate --verbosity 0
	@$(OWN_SETTINGS) PORT=$(PORT) $(BIN)/python manage.py seed_demo
	@echo "Serving http://127.0.0.1:$(PORT)/ until Ctrl-C."
	@$(OWN_SETTINGS) exec $(BIN)/python -m gunicorn project.wsgi --bind 127.0.0.1:$(PORT) --workers 2 --threads 4 \
		--log-level warning

test: $(DEV) ## Run the tests on SQLite
	@$(OWN_SETTINGS) unset DATABASE_URL; $(BIN)/python -m pytest -n auto $(ARGS)

lint: $(DEV) ## Check format and rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(DEV) ## Put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(DEV) ## Check the types of stats_app
	$(OWN_SETTINGS) $(BIN)/mypy

docs: $(DEV) ## Build the documentation into docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

bench: $(DEV) ## Measure speed and size on PostgreSQL (ARGS="--help" shows the options)
	@$(BIN)/python -m benchmarks $(ARGS)

clean: ## Remove the virtual environment, the demo's data and everything built
	rm -rf $(VENV) .env db.sqlite3 db.sqlite3-shm db.sqlite3-wal build dist docs/_build staticfiles
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis .coverage htmlcov
	find project stats_app tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python ..." >&2; exit 1; }
	@$(PYTHON) $(NEW_ENOUGH) || { echo "$(PYTHON) is older than Python 3.11." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "No virtual environment could be made: install Python's venv (on Debian: apt install python3-venv)." >&2; exit 1; }

$(RUNTIME): requirements.txt | $(BIN)/python
	@echo "Installing what the example project needs ..."
	@$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

$(DEV): requirements.txt requirements-dev.txt | $(BIN)/python
	@echo "Installing what the tests and checks need ..."
	@$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@
