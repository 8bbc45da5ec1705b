PYTHON ?= python3
BIN := .venv/bin
APPS := psi sites referrals training matching tracker demo
# Tests and tools have servers of their own, so that a running demonstration is not disturbed.
AT_TEST := PSI_HOME="$${PSI_HOME:-.local/test}" PSI_THROWAWAY=1 $(BIN)/python -m psi.local --
INSTALL := $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r

UV ?= uv
LOCK := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate pyproject.toml

.PHONY: help run test lint format messages screens bench mutants lock clean

help: ## this list
	@echo "git, make and Python 3.11 or newer are all that is needed. There is to make:"
	@grep -hE '^[a-z-]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/:.* ## /\t/' | while IFS="$$(printf '\t')" read -r name what; do \
	    printf '  make %-8s %s\n' "$$name" "$$what"; done
	@echo "PORT (8000) and PSI_HOME (.local) are honoured. TESTING.md says how to run a single test."

run: .venv/local ## the whole program with demonstration data; prints where to look
	@$(BIN)/python -m psi.local run

test: .venv/dev ## every test, on real servers and in a real browser; PYTEST_ARGS is passed on
	@$(BIN)/python -m tests.chromium
	@$(AT_TEST) pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

lint: .venv/dev ## what a reviewer should not have to say: style, import order, types, missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	find templates -name '*.html' -exec $(BIN)/djade --check {} +
	$(BIN)/djangofmt --check templates
	$(BIN)/python locale/messages.py --check
	$(AT_TEST) sh -ec 'mypy $(APPS) && python manage.py makemigrations --check --dry-run'

format: .venv/dev ## lay out Python and templates as lint wants them
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	find templates -name '*.html' -exec $(BIN)/djade {} +
	$(BIN)/djangofmt templates

messages: .venv/dev ## bring locale/fr up to date with code and templates, and compile it
	@$(BIN)/python locale/messages.py

screens: .venv/dev ## a picture of every page, in .local/screens/
	@$(BIN)/python -m tests.chromium
	@$(AT_TEST) python -m tests.screens "$${PSI_HOME:-.local}/screens"

bench: .venv/dev ## what is promised of speed and fairness; BENCH=candidates, due, figures, releases or fairness
	@$(AT_TEST) python -m bench $(BENCH)

mutants: .venv/dev ## a sample of small changes to the rules, which tests must notice; SEED, SIZE (0: all), SUBJECT=masking
	@$(AT_TEST) python -m mutants --seed $(or $(SEED),1) --size $(or $(SIZE),400) $(SUBJECT)

# Needs uv (https://docs.astral.sh/uv/), in any environment: make lock UV=/path/to/uv. What is locked stays as it is
# where pyproject.toml still allows it; add UPGRADE="-P name" to renew one package, UPGRADE=-U to renew all.
lock: ## compile requirements/*.txt anew from pyproject.toml
	$(LOCK) $(UPGRADE) -o requirements/base.txt
	$(LOCK) $(UPGRADE) --extra local -o requirements/local.txt
	$(LOCK) $(UPGRADE) --extra local --extra dev -o requirements/dev.txt

clean: ## delete what these made
	@for home in .local/test .local; do \
	    if [ -d $$home ] && [ -x $(BIN)/python ]; then PSI_HOME=$$home $(BIN)/python -m psi.local clean || exit 1; fi; \
	done
	rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Each list is installed again when it changes; the files below .venv say when that was.
.venv/made:
	@$(PYTHON) -c 'import sys; v = sys.version_info; \
	    sys.exit(0 if v >= (3, 11) else "Python 3.11 or newer is needed, this is %d.%d: make PYTHON=python3.12 ..." % v[:2])'
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/local: requirements/local.txt .venv/made
	@$(INSTALL) $<
	@touch $@

# The longer list holds the shorter one.
.venv/dev: requirements/dev.txt .venv/made
	@$(INSTALL) $<
	@touch $@ .venv/local
