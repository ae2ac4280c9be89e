# The two commands: `make run` serves, `make test` tests. Both need Python 3.11 or newer and install the rest.
# The recipes are one process each (exec): a signal to make reaches it.

PYTHON := $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
NEED_PYTHON = test -n "$(PYTHON)" || { echo "HealthRecords needs Python 3.11 or newer as python3; install one." >&2; exit 2; }

.PHONY: run test lock test-env
run:
	@$(NEED_PYTHON); exec $(PYTHON) -m healthrecords.embedded.bootstrap run

test:
	@$(NEED_PYTHON); exec $(PYTHON) -m healthrecords.embedded.bootstrap test $(ARGS)

test-env: # what the tests and checks need, without running them
	@$(NEED_PYTHON); exec $(PYTHON) -m healthrecords.embedded.bootstrap test-env

# For developers, with uv on the path: resolve the reasons (*.in) into exact pins with hashes.
lock:
	for each in requirements requirements-dev; do \
		uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-header $$each.in -o $$each.txt; done
