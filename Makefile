# What each target does: tools/help.txt (`make help`). The work is done by tools/run.py.
PYTHON ?= python3
export T PORT DB LANGS JOBS PYTEST_ARGS BASELINE
TARGETS := env test demo demo-reset shell psql odoo python update lint format test-odoo i18n bench lock clean help

.PHONY: $(TARGETS)
.DEFAULT_GOAL := help

$(TARGETS):
	@$(PYTHON) tools/run.py $@ $(ARGS)
