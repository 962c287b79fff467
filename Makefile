# `make train` and `make test` work on a fresh machine with Python 3.11 or newer, venv and make.
# ARGS is passed on: make train ARGS="agent=dqn seed=3", make test ARGS="-k costs".

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
CODE   := envs agents benchmarks tests train.py evaluate.py
ARGS   ?=
COMMANDS := $(filter-out __init__ train evaluate,$(basename $(notdir $(wildcard envs/commands/*.py agents/commands/*.py))))

# Small networks run fastest on one thread each; the tests use the cores by running side by side.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

# What a command printed, below the command, as the pages of docs show it.
printed = { echo '$$ $(2)'; PATH=$(BIN):$$PATH $(2); } > docs/results/$(1).part && mv docs/results/$(1).part docs/results/$(1).txt

.DEFAULT_GOAL := help
.PHONY: help install train evaluate reproduce benchmarks test check format clean $(COMMANDS)

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  make COMMAND    any of the commands that python -m envs and python -m agents list, with its settings in ARGS"

install: $(STAMP)  ## prepare .venv (again only when pyproject.toml or constraints.txt change)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1): make PYTHON=python3.12" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[deploy,dev,lora,minari,morl,phy,search,sweep,video]'
	@touch $@

train: $(STAMP)  ## train ROOT and compare it with every other policy
	$(BIN)/python train.py $(ARGS)

evaluate: $(STAMP)  ## compare the shipped policies: table, CSV, figures, report.html
	$(BIN)/python evaluate.py $(ARGS)

reproduce: $(STAMP)  ## every figure of the papers and our own experiments, and docs/reproduction.md
	for name in $$($(BIN)/python -c 'from agents.experiments import EXPERIMENTS; print(*EXPERIMENTS)'); do \
		$(BIN)/python evaluate.py experiment=$$name || exit 1; done
	$(BIN)/python -m agents reproduction

benchmarks: $(STAMP)  ## every benchmark of docs/benchmarks.md, an hour, into docs/results
	$(call printed,transceiver,python benchmarks/transceiver.py)
	$(call printed,env,python benchmarks/env.py)
	$(call printed,decisions,python benchmarks/decisions.py)
	$(call printed,agents,python benchmarks/agents.py)
	$(call printed,check_profile,python -m agents check_profile)
	$(call printed,profile_cost,python -m envs profile_cost)
	$(call printed,profile_search,python benchmarks/profile_search.py)
	$(call printed,export,python -m agents export policy=root format=onnx output=outputs/root.onnx)
	$(call printed,advise_a6000_1080ti,python -m agents advise hydra.run.dir=outputs/advise/a6000_1080ti)
	$(call printed,advise_4090_phone,python -m agents advise pair=4090_phone hydra.run.dir=outputs/advise/4090_phone)
	$(call printed,advise_two_laptops,python -m agents advise pair=two_laptops hydra.run.dir=outputs/advise/two_laptops)

test: $(STAMP)  ## all tests
	$(PYTEST) $(ARGS)

check: $(STAMP)  ## format, lint, types and the fast tests
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(PYTEST) -m 'not slow' $(ARGS)

format: $(STAMP)  ## rewrite the code in the house format
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

$(COMMANDS): $(STAMP)
	$(BIN)/python -m $(if $(wildcard envs/commands/$@.py),envs,agents) $@ $(ARGS)

clean:  ## remove caches; runs in outputs/ and the environment in .venv stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
