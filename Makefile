# Each target is described on its own line; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup run demo migrate test faults check look e2e security bench words docs lock

PYTHON = python3
IN = .venv/bin

help: ## List the targets
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/\1|\2/p' Makefile | \
	while IFS='|' read -r name words; do printf '%-9s %s\n' "$$name" "$$words"; done

setup: ## Install everything into this folder (no administrator rights needed)
	@$(PYTHON) tools/setup.py

run: ## Set up and start PillWeb with all it needs; Ctrl-C stops it
	@$(PYTHON) tools/setup.py && exec $(IN)/python app.py run

demo: migrate ## Fill the database with a family to look around in
	@$(IN)/python app.py demo

migrate: setup ## Bring the database to the newest schema
	@$(IN)/python app.py migrate

test: ## Set up and run all tests (real PostgreSQL and Valkey included)
	@$(PYTHON) tools/setup.py --dev && exec $(IN)/python -m pytest -n 2

faults: ## Set up and let storms of faults loose on each database (15 minutes)
	@$(PYTHON) tools/setup.py --dev
	$(IN)/python -m pytest -n 0 -p no:randomly tests/faults/long

check: ## Set up and check formatting, style, types, import order and safety
	@$(PYTHON) tools/setup.py --dev
	$(IN)/ruff format --check .
	$(IN)/ruff check .
	$(IN)/mypy
	$(IN)/lint-imports
	$(IN)/bandit -q -ll -c pyproject.toml -r pillweb jobs tools app.py
	$(IN)/python -m tools.lint

look: ## Set up and run the quick part of the browser tests
	@$(PYTHON) tools/setup.py --e2e && $(IN)/python -m tools.browser
	$(IN)/python -m pytest -n 2 -m quick tests/e2e

e2e: ## Set up and run all journeys and pages in a real browser (half an hour)
	@$(PYTHON) tools/setup.py --e2e && $(IN)/python -m tools.browser
	$(IN)/python -m pytest -n 2 tests/e2e

security: ## Set up, try every door and every bad word, and scan a running site
	@$(PYTHON) tools/setup.py --dev --security
	$(IN)/python -m pytest -n 2 tests/security tests/house
	$(IN)/python -m tests.security.scan

bench: ## Set up and measure what docs promise, and print it
	@$(PYTHON) tools/setup.py --e2e && $(IN)/python -m tools.browser
	$(IN)/python -m bench

words: setup ## Bring the catalogues of all languages up to the code
	@$(IN)/python -m tools.words

docs: setup ## Write docs/settings.md anew from the code
	@$(IN)/python -m tools.docs

lock: ## Compile requirements*.in into the lock files (UPGRADE=1 for newer versions)
	@$(PYTHON) tools/setup.py && $(IN)/python tools/lock.py $(if $(UPGRADE),--upgrade)
