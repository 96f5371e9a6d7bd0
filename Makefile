# Two commands do all a new machine needs: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := pyproject.toml constraints.txt

.PHONY: demo test check heavy certify bench clean

demo: $(VENV)/.installed
	@$(BIN)/seatrial demo

test: check
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not heavy and not browser" tests
	$(BIN)/python -m pytest -m browser tests/reports

check: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/pyright

heavy: $(VENV)/.tested
	$(BIN)/python -m pytest -n 2 -m heavy tests

certify: $(VENV)/.tested
	$(BIN)/python -m bench.certify

bench: $(VENV)/.tested
	$(BIN)/python bench/overhead.py
	$(BIN)/python bench/stats.py

$(VENV)/.installed: $(SOURCES)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing seatrial into $(VENV) (once)"
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed tools/debian-packages
	@echo "installing what the tests need (once)"
	@tools/debian-packages
	@$(PIP) install --constraint constraints.txt --editable '.[parquet,dev]'
	@touch $@

clean:
	rm -rf $(VENV) .seatrial dist build
