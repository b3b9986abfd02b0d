# Needs Python >= 3.11 with pip, and nothing else. Two commands matter: `make demo`, `make test`.
# Both share .venv; a stamp in it says what is installed, so a second run starts at once.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
HYPOTHESIS_PROFILE ?= ci
FUZZ_SECONDS ?= 60
PYTEST_ARGS ?=
PYTEST_WORKERS ?= auto
DEMO_ARGS ?=
BENCH_ARGS ?=
PEERS ?= bytewax aiostream fastapi mlserver litserve bentoml ray mapie

export RXML_ACCEPTANCE_DATA = $(CURDIR)/.data
export HYPOTHESIS_PROFILE
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS = 1
export NO_MKDOCS_2_WARNING = 1

python := .venv/bin/python
install := -m pip install --quiet --require-hashes -r
install-self := -m pip install --quiet --no-build-isolation --no-deps -e .

# An environment that was copied along with the tree points back to where it came from.
moved := $(filter-out $(CURDIR),$(shell cat .venv/.made 2>/dev/null))

.PHONY: help demo test lint types mypy pyright doors docs acceptance data bench fuzz torch lock clean distclean FORCE

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

demo: .venv/.demo ## forecast this machine's load, live, at 127.0.0.1:8080
	.venv/bin/rxml demo $(DEMO_ARGS)

test: .venv/.dev .data/.made ## everything that CI checks: the four below side by side, then every test and the coverage
	$(MAKE) --no-print-directory -j 2 types docs lint doors
	$(python) -m pytest -n $(PYTEST_WORKERS) --cov --cov-report=term $(PYTEST_ARGS)

lint: .venv/.dev ## ruff: format and rules
	$(python) -m ruff format --check .
	$(python) -m ruff check .

types: mypy pyright ## mypy and pyright, both strict

mypy: .venv/.dev
	$(python) -m mypy $(wildcard rxml tests examples benchmarks)

pyright: .venv/.dev
	$(python) -m pyright --pythonpath $(python)

doors: .venv/.dev ## import-linter: which room may import which
	.venv/bin/lint-imports

docs: .venv/.dev ## the documentation, into site/
	$(python) -m mkdocs build --strict --quiet

acceptance: .venv/.dev .data/.made ## the slow tests: published numbers, coverage and simulations on public data
	$(python) -m pytest -n $(PYTEST_WORKERS) -m slow --timeout 300 $(PYTEST_ARGS)

bench: .venv/.dev $(patsubst %,.venv-peers/%/.made,$(PEERS)) ## rxml, its peers and the limit
	$(python) -m benchmarks $(BENCH_ARGS)

fuzz: .venv-fuzz/.made ## every decoder under a coverage-guided fuzzer, FUZZ_SECONDS each
	for target in tests/fuzz/fuzz_*.py; do \
		echo "$$target"; \
		PYTHONPATH=. .venv-fuzz/bin/python "$$target" -max_total_time=$(FUZZ_SECONDS); \
	done

torch: .venv-torch/.made ## the adapter of PyTorch, in an environment of its own: gigabytes, and not locked
	.venv-torch/bin/python -m pytest -q tests/unit/models/adapters/test_torch.py

# --- environments ------------------------------------------------------------------------------

define make-venv
	$(if $(PYTHON),,$(error no Python >= 3.11 found; say which with make PYTHON=/path/to/python))
	$(PYTHON) -m venv $(2) $(1) 2>/dev/null || { \
		$(PYTHON) -m venv --without-pip $(2) $(1) && \
		$(PYTHON) -m pip --python $(1)/bin/python install --quiet pip; }
endef

.venv/.made: $(if $(moved),FORCE)
	$(call make-venv,.venv,$(if $(moved),--clear))
	echo '$(CURDIR)' >$@

.venv/.demo: .venv/.made requirements/demo.txt pyproject.toml
	$(python) $(install) requirements/demo.txt
	$(python) $(install-self)
	touch $@

# dev.txt holds all that demo.txt holds, in the same versions (a test says so).
.venv/.dev: .venv/.made requirements/dev.txt requirements/demo.txt pyproject.toml
	$(python) $(install) requirements/dev.txt
	$(python) $(install-self)
	touch $@ .venv/.demo

.venv-peers/%/.made: requirements/peer-%.txt
	$(call make-venv,.venv-peers/$*,)
	.venv-peers/$*/bin/python $(install) $<
	touch $@

# atheris has wheels for x86_64; elsewhere pip builds it, which needs clang.
.venv-fuzz/.made: requirements/fuzz.txt
	$(call make-venv,.venv-fuzz,)
	.venv-fuzz/bin/python $(install) $<
	touch $@

.venv-torch/.made: requirements/dev.txt
	$(call make-venv,.venv-torch,)
	.venv-torch/bin/python $(install) $<
	.venv-torch/bin/python -m pip install --quiet 'torch>=2.9'
	.venv-torch/bin/python $(install-self)
	touch $@

# Wheels of one platform each, since only the data in them is wanted.
fetch := -m pip download --quiet --require-hashes --no-deps --only-binary=:all: --dest .data

data: .data/.made ## public data for examples and acceptance, out of packages that bundle it

.data/.made: .venv/.made requirements/data-elec.txt requirements/data-index.txt requirements/bundled.py
	rm -rf .data
	$(python) $(fetch) --python-version 3.6 --implementation cp --abi cp36m \
		--platform manylinux1_x86_64 -r requirements/data-elec.txt
	$(python) $(fetch) --python-version 3.11 --implementation cp --abi cp311 \
		--platform manylinux2014_x86_64 -r requirements/data-index.txt
	$(python) requirements/bundled.py .data skmultiflow/data/datasets/elec.csv \
		arch/data/sp500/sp500.csv.gz arch/data/nasdaq/nasdaq.csv.gz arch/data/vix/vix.csv.gz
	touch $@

# --- locks: versions and hashes, no addresses --------------------------------------------------

compile := CUSTOM_COMPILE_COMMAND='make lock' .venv-lock/bin/pip-compile --quiet --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
	--no-strip-extras --allow-unsafe $(LOCK_ARGS)
wanted := .venv-lock/bin/python requirements/wanted.py

lock: .venv-lock/.made ## new requirements/*.txt (LOCK_ARGS=--upgrade for newer versions)
	$(wanted) --runtime --extra testing --extra demo --extra arrow --extra pandas --extra kll --extra mlflow --extra onnx \
		--extra otel --extra postgres --extra river --extra safetensors --extra sklearn --group dev \
		| $(compile) -o requirements/dev.txt -
	$(wanted) --runtime --extra demo --group build | $(compile) -c requirements/dev.txt -o requirements/demo.txt -
	$(wanted) --runtime --group fuzz | $(compile) -c requirements/dev.txt -o requirements/fuzz.txt -
	$(wanted) --group lock | $(compile) -o requirements/lock.txt -
	for peer in $(PEERS); do \
		$(wanted) --group bench-$$peer | $(compile) -o requirements/peer-$$peer.txt -; done

.venv-lock/.made: requirements/lock.txt
	$(call make-venv,.venv-lock,)
	.venv-lock/bin/python $(install) $<
	touch $@

# --- cleaning ----------------------------------------------------------------------------------

clean: ## caches and builds
	rm -rf build dist site htmlcov .coverage .coverage.* .hypothesis .import_linter_cache
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

distclean: clean ## the environments too
	rm -rf .venv .venv-* .data
