# Two commands on a fresh machine: `make gameday` runs the main job, `make test` passes the tests.
# Both set up .venv first from requirements.lock, and do so again only when the lock changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help gameday test check zoo steady privilege mutate bare bench lock clean

help: ## Show what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	@echo "setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=python3.11" >&2; exit 4; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps -e .
	@# Twenty seconds once, a third of a second at each start of each process, a whole one at each start of a Pulumi
	@# program: all but what is rarely imported. Some machines set PYTHONDONTWRITEBYTECODE and would never do it.
	@$(BIN)/python -m compileall -qq -j 0 -x '/moto/.+/' $(VENV)/lib harness chaos || true
	@touch $@

gameday: $(READY) ## Run the whole job on the embedded cloud: deploy, scenarios, load, drills, report
	@$(BIN)/blackstart run

test: $(READY) ## Run every test
	@$(BIN)/python tests/suite.py

check: $(READY) ## Lint, format, types, floors
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

zoo: $(READY) ## Release every known mistake onto the stack and show that its drill finds it
	@$(BIN)/python tests/zoo

steady: $(READY) ## Run the whole job twenty times in a row: the healthy stack must stay green; goes on where it stopped
	@$(BIN)/python tests/steady

privilege: $(READY) ## Take each statement of each role's policy away, show which scenario goes red, write docs/privilege.md
	@$(BIN)/python tests/privilege

mutate: $(READY) ## Break each measure in every small way and show which test goes red
	@$(BIN)/python tests/mutation

bare: $(READY) ## Run the checks of signals and delivery against plain ministack and against our cloud
	@$(BIN)/python -m tests.bare

bench: $(READY) ## Measure speed as ratios against a peer, side by side in one run
	@$(BIN)/python tests/bench

lock: ## Resolve requirements.lock anew from pyproject.toml
	@rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	@$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	@{ echo '# Made by `make lock` from pyproject.toml. Do not edit.'; $(VENV)-lock/bin/python -m pip freeze --exclude blackstart; } > requirements.lock
	@rm -rf $(VENV)-lock

clean: ## Remove the virtual environment and what runs left behind
	@test ! -x $(BIN)/blackstart || $(BIN)/blackstart down --yes >/dev/null 2>&1 || true
	@rm -rf $(VENV) .blackstart .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
