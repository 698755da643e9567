# Two commands: `make demo` and `make test`. Python 3.11 to 3.13 and make suffice; everything else is set up here.
VENV := .venv
BIN := $(VENV)/bin
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
endif
# The first Python that really runs and fits: a name on the path can be a shim that fails.
PYTHON := $(shell for p in $(PYTHON_GIVEN) python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 && { echo $$p; break; }; done)

.PHONY: demo test test-real lint bench docs clean setup

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11, 3.12 or 3.13 is needed (Debian: apt-get install python3 python3-venv). Or: make PYTHON_GIVEN=/path/to/python"; exit 1; fi
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) lacks the venv module; install it (Debian: apt-get install python3-venv)"; exit 1; }
	@[ -x "$(BIN)/python" ] || [ -x "$(BIN)/python.exe" ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@$(BIN)/python -m compileall -q openclaw_forensics
	@touch $@

demo: setup
	@$(BIN)/openclaw-forensics analyze samples/token-cascade/captures --platform amazon \
		-o demo-output/openclaw-report.html -o demo-output/openclaw-report.txt
	@echo
	@echo "Report: $(CURDIR)/demo-output/openclaw-report.html"
	@echo "Ticket: $(CURDIR)/demo-output/openclaw-report.txt"

test: setup
	@$(BIN)/python -m pytest -n 2 -m "not real" tests

test-real: setup
	-@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[browser]'
	@$(BIN)/python -m pytest -m real -rs tests

lint: setup
	@$(BIN)/ruff check openclaw_forensics tests benchmarks samples tools
	@$(BIN)/ruff format --check openclaw_forensics tests benchmarks samples tools
	@$(BIN)/mypy -p openclaw_forensics
	@$(BIN)/openclaw-forensics rules lint
	@$(BIN)/openclaw-forensics rules test
	@$(BIN)/python tools/knowledge.py --check docs/knowledge.md
	@$(BIN)/python tools/schemas.py --check docs/schemas

docs: setup
	@$(BIN)/python tools/knowledge.py docs/knowledge.md
	@$(BIN)/python tools/schemas.py docs/schemas

bench: setup
	@$(BIN)/python benchmarks/bench.py

clean:
	rm -rf $(VENV) demo-output build dist *.egg-info
