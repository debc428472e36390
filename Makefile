# Each target sets up what it needs; a second run does nothing that the first has done.

SHELL := bash
ARCH ?= arm64
TESTS ?=
ENVIRONMENT ?= dev
# In order of preference: what Lambda runs, what the tests have run on, and 3.14, which is only better than none.
PYTHONS := 3.13 3.12 3.11 3.14
# SAM writes arm64 where it does by itself, so that `sam deploy` finds it; both architectures can stand side by side.
BUILD := .aws-sam$(if $(filter-out arm64,$(ARCH)),/$(ARCH))/build
# Read from pyproject.toml where a recipe needs them.
IMPORT_ROOTS = $(shell .venv/bin/python -m scripts.import_roots)
SAM := SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam
SOURCES = $(shell find functions layers scripts templates -not -path '*/__pycache__*' -type f) requirements/run.txt template.yaml

# Prints what follows "##" after a target's name.
help:
	@sed -nE 's/^([a-z-]+):.*## (.*)$$/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

.PHONY: help run invoke test mutants chaos check deploy audit sbom build lock clean distclean docs screenshots fuzz bench
.DELETE_ON_ERROR:

run: .venv/.synced ## the whole stack on this machine (CHARGERS=all, DIALECT=steve, CHARGE_SECONDS, LINK_TIMEOUT, SWEEP_SECONDS, LINK_SERVERS, CALLBACK_BASE_URL; PORT, TABLE_PORT, REST_PORT, OCPP_PORT; SAM_LOCAL=1 for make invoke)
	.venv/bin/python -m local

invoke: .venv/.synced .venv-sam/.synced ## sam local invoke beside make run SAM_LOCAL=1 (EVENT=events/json/accepted.json, SAM_ARGS=--skip-pull-image); needs Docker
	@.venv/bin/python -m local.invoke "$(EVENT)" $(SAM_ARGS)

test: .venv/.synced .venv-sam/.synced ## all tests (TESTS="tests/unit -k journal" for some)
	.venv/bin/pytest $(if $(TESTS),$(TESTS),-n 2 --dist loadfile --cov --cov-report=term)

chaos: .venv/.synced .venv-sam/.synced ## a storm of faults over the built artefact (DIALECT=native, steve or citrineos; SEED=1, ATTEMPTS=300)
	PYTHONPATH=$(IMPORT_ROOTS) .venv/bin/python -m tests.chaos --write

fuzz: .venv/.synced ## hostile input, at length: every table, Schemathesis, the fuzzer (RUNS=1000000 SEED=1)
	HOSTILE=all RUNS=$(or $(RUNS),1000000) SEED=$(or $(SEED),1) .venv/bin/pytest tests/hostile --show-capture=no

mutants: .venv/.synced ## mutation tests of the core, an hour or two, not in CI; again: the rest and the survivors (MUTANTS="charger_link.circuit*" for some)
	.venv/bin/python -m scripts.mutants $(MUTANTS)

check: .venv/.synced .venv-sam/.synced ## format, lint, types, import rules, templates
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	PYTHONPATH=$(IMPORT_ROOTS) .venv/bin/lint-imports
	.venv/bin/python -m scripts.lint_template
	for template in template.yaml templates/*.yaml; do $(SAM) validate --lint --template $$template || exit; done

docs: .venv/.synced ## docs/openapi.yaml and the help page, from the code
	PYTHONPATH=$(IMPORT_ROOTS) .venv/bin/python -m apidoc

screenshots: .venv/.synced ## the pictures of console and help page in docs/images (needs Chromium)
	PYTHONPATH=$(IMPORT_ROOTS) .venv/bin/python -m tests.browser.screenshots

bench: .venv/.synced .venv-sam/.synced ## the benchmarks, beside three peers (BENCH="--only cold,warm", BENCH=--quick)
	.venv/bin/python -m benchmarks $(BENCH)

build: $(BUILD)/template.yaml ## the Lambda artefacts (ARCH=arm64, or x86_64)

$(BUILD)/template.yaml: .venv/.synced .venv-sam/.synced $(SOURCES)
	ARCH=$(ARCH) $(SAM) build --build-dir $(BUILD) --parameter-overrides Architecture=$(ARCH)
	touch $@

# The file is named, as SAM looks for it beside the template.
deploy: build ## to AWS, as samconfig.toml says (ENVIRONMENT=dev, or prod); needs an account
	$(SAM) deploy --config-env $(ENVIRONMENT) --config-file $(CURDIR)/samconfig.toml --template-file $(BUILD)/template.yaml

audit: .venv/.synced .venv-audit/.synced ## known vulnerabilities, policies of the template, code: checkov, bandit, pip-audit
	scripts/audit

sbom: .venv-audit/.synced ## what is deployed, as CycloneDX: .aws-sam/sbom.cdx.json
	mkdir -p .aws-sam
	.venv-audit/bin/cyclonedx-py requirements requirements/run.txt --output-reproducible --of JSON -o .aws-sam/sbom.cdx.json

.venv/.synced: requirements/dev.txt requirements/uv.txt scripts/venv scripts/uv
	scripts/venv .venv requirements/dev.txt $(PYTHONS)

.venv-sam/.synced: requirements/sam.txt requirements/uv.txt scripts/venv scripts/uv
	scripts/venv .venv-sam requirements/sam.txt $(PYTHONS)

.venv-audit/.synced: requirements/audit.txt requirements/uv.txt scripts/venv scripts/uv
	scripts/venv .venv-audit requirements/audit.txt $(PYTHONS)

LOCK := scripts/uv .venv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: .venv/.synced ## the hashed lock files, anew
	for name in uv dev sam audit; do $(LOCK) requirements/$$name.in -o requirements/$$name.txt; done
	for name in run bench-bare bench-powertools bench-fastapi; do \
	  $(LOCK) requirements/$$name.in -c requirements/dev.txt -o requirements/$$name.txt; done

clean: ## removes what was built
	rm -rf .aws-sam .mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis .local benchmarks/.cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

distclean: clean ## removes what was built, and the environments
	rm -rf .venv .venv-sam .venv-audit
