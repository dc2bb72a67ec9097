# Every target makes .venv by itself; `make help` lists them.
PYTHON = python3
SECONDS = 30
WORKERS = 3
BIN = .venv/bin
COVERING = tests/wire tests/networks tests/ledger tests/gateway/api tests/cardrail/test_describe_command.py

.DEFAULT_GOAL := help
.PHONY: help venv demo test coverage check bench format clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

venv: .venv/installed ## make .venv with everything pinned by constraints.txt

demo: venv ## two simulated networks against the gateway, SECONDS=30 by default
	@$(BIN)/cardrail demo --seconds $(SECONDS)

test: venv ## the whole suite
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

coverage: venv ## the wire and the ledger, of which no branch may be untested
	@rm -f .coverage .coverage.*
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal --cov --cov-report= $(COVERING)
	$(BIN)/coverage report --fail-under=100

check: venv ## ruff, mypy and the import rule
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_architecture.py

bench: venv ## measure, and write the tables of docs/PERFORMANCE.md; SECONDS=30 a row by default
	$(BIN)/cardrail bench codec --json > .bench.jsonl && $(BIN)/cardrail bench report codec < .bench.jsonl
	@for engine in sqlite postgresql; do \
	  $(BIN)/cardrail bench ledger --engine $$engine --json > .bench.jsonl && \
	  $(BIN)/cardrail bench report ledger-$$engine < .bench.jsonl && \
	  $(BIN)/cardrail bench gateway --engine $$engine --seconds $(SECONDS) --json > .bench.jsonl && \
	  $(BIN)/cardrail bench report gateway-$$engine < .bench.jsonl || exit 1; \
	done
	@rm -f .bench.jsonl

format: venv ## let ruff format and fix the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* ./*.egg-info

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Cardrail needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ": name a newer one, for example make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@echo "Installing into .venv (once)..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
