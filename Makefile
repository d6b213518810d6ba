# Two commands are all that most people need: `make run` and `make test`. README.md says more.
#   make run               the site with demonstration data, on http://127.0.0.1:8000
#   make run DATA=/folder  the site with the files of that folder
#   make run PORT=8080     on another port; READERS= leaves out the optional GPL readers of TEM formats

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test lint types tests pytest lock bench

PYTHON_IN_VENV := .venv/bin/python
TEST := DJANGO_SETTINGS_MODULE=portal.settings.test $(PYTHON_IN_VENV)
# Values that let the production settings start, for Django's deployment check; nothing is contacted.
PRODUCTION := DJANGO_SETTINGS_MODULE=portal.settings.production FAIRCAT_SITE_URL=https://data.example.org \
  SECRET_KEY=$$($(PYTHON_IN_VENV) -c 'import secrets; print(secrets.token_urlsafe(60))') FAIRCAT_SECRET_KEYS=check-only \
  DATABASE_URL=postgres://nobody@127.0.0.1/none CELERY_BROKER_URL=redis://127.0.0.1/0 CACHE_URL=rediscache://127.0.0.1/1 \
  ALLOWED_HOSTS=data.example.org EMAIL_URL=smtp://127.0.0.1:25 FAIRCAT_DATA_DIR=/tmp/faircat-check

help:
	@sed -n 's/^#   //p' Makefile
	@echo 'make test              everything that continuous integration runs'
	@echo 'make lint              style and types only'
	@echo 'make bench [FULL=1]    the measurements of benchmarks/ in small, or at full size (hours)'
	@echo 'make lock              pin the requirements-*.txt files again from pyproject.toml'

run:
	@scripts/prepare web
	@exec $(PYTHON_IN_VENV) manage.py quickstart $(if $(DATA),--data "$(DATA)") $(if $(PORT),--port "$(PORT)")

test:
	@scripts/prepare system dev
	@$(MAKE) --no-print-directory lint tests

lint:
	$(PYTHON_IN_VENV) -m ruff check .
	$(PYTHON_IN_VENV) -m ruff format --check .
	.venv/bin/lint-imports
	$(PYTHON_IN_VENV) -m mypy
	$(TEST) manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(PYTHON_IN_VENV) manage.py check --deploy --fail-level WARNING

# Beside a real Elasticsearch where there is Java for it.
tests:
	@scripts/elasticsearch with $(MAKE) --no-print-directory pytest

# Every test on SQLite, then on PostgreSQL those that must give equal answers there.
pytest:
	$(PYTHON_IN_VENV) -m pytest -n 2 --dist loadfile -q
	$(PYTHON_IN_VENV) -m tests.on_postgres $(PYTHON_IN_VENV) -m pytest -n 2 --dist loadfile -q -m both_databases \
	  $$(grep -rlw both_databases tests --include='test_*.py')

UV_COMPILE := .venv/bin/uv pip compile -q --no-header --no-annotate --python-version 3.11 pyproject.toml

# All files are resolved together first, so that they agree on every version.
lock:
	@scripts/prepare dev
	.venv/bin/pip install --quiet uv
	all=$$(mktemp) && trap 'rm -f "$$all"' EXIT \
	&& $(UV_COMPILE) --extra classifier --extra gpl-readers --extra dev -o "$$all" \
	&& $(UV_COMPILE) -c "$$all" -o requirements-web.txt \
	&& $(UV_COMPILE) -c "$$all" --extra classifier -o requirements.txt \
	&& $(UV_COMPILE) -c "$$all" --extra gpl-readers -o requirements-gpl-readers.txt \
	&& $(UV_COMPILE) -c "$$all" --extra gpl-readers --extra dev -o requirements-dev.txt

bench:
	@scripts/prepare dev
	$(PYTHON_IN_VENV) -m benchmarks $(if $(FULL),--full)
