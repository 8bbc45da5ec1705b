# make run     the whole program with demonstration data; PORT (8000) and PSI_HOME (.local) are honoured
# make test    every test, on real servers and in a real browser; PYTEST_ARGS is passed on
# make lint    what a reviewer should not have to say
# make screens a picture of every page, in .local/screens/
# make bench   what is promised of speed and fairness, measured on throw-away servers; BENCH=candidates, due, figures, releases or fairness
# make clean   delete what these made

PYTHON ?= python3
BIN := .venv/bin
APPS := psi sites referrals training matching tracker demo
# Tests and tools have servers of their own, so that a running demonstration is not disturbed.
AT_TEST := PSI_HOME="$${PSI_HOME:-.local/test}" PSI_THROWAWAY=1 $(BIN)/python -m psi.local --
INSTALL := $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r

.PHONY: run test lint screens bench clean

run: .venv/local
	@$(BIN)/python -m psi.local run

test: .venv/dev
	@$(BIN)/python -m tests.chromium
	@$(AT_TEST) pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	find templates -name '*.html' -exec $(BIN)/djade --check {} +
	$(AT_TEST) sh -ec 'mypy $(APPS) && python manage.py makemigrations --check --dry-run'

screens: .venv/dev
	@$(BIN)/python -m tests.chromium
	@$(AT_TEST) python -m tests.screens "$${PSI_HOME:-.local}/screens"

bench: .venv/dev
	@$(AT_TEST) python -m bench $(BENCH)

clean:
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
