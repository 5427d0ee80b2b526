# Postrider on this machine: an emulator, the very template that goes to AWS, the real programs.
#
#   make demo            up, register, publish, receive, verify, show, down
#   make up              bring the stack up, or deploy again to the one that runs (local/.run/stack.json)
#   make down            end what `make up` started
#   make redrive         have what lies in quarantine tried again
#   make smoke           does a deployed stack do what it is for? The one that runs, or with STACK_NAME=name one on AWS; two minutes
#   make check           what needs no stack: formatting, clippy, ruff, types, layers, unit tests; under a minute once compiled
#   make e2e T=name      the end-to-end tests with that name, on the stack that runs; without T all but those that disturb it
#   make link            a link to the portal of the stack that runs, which opens once, within five minutes
#   make logs F=deliver  what a function of that stack has logged
#   make env F=deliver   its environment, for a shell to take over: eval "$$(make -s env F=deliver)"
#   make test            every test: unit, end to end on a stack of its own, template
#   make second-opinion  our programs before AWS's own emulator, envelopes and models, and the roles of production; a minute
#   make portal-test     the pages in a real browser, by clicking, on the stack that runs; some minutes; with T=name those tests
#   make portal-picture  the portal's picture in README.md anew, on the stack that runs
#   make portal-weights  what the portal's pages weigh, into docs/performance.md, on the stack that runs
#   make portal-figures  how long the portal's pages take, into docs/performance.md; builds release programs, many minutes
#   make clients         clients of the API in Python and TypeScript, from docs/openapi.json, into .tools/clients
#   make fuzz            every operation of the API with made-up calls, with a key of each kind, on the stack that runs; a minute and
#                        a half, and longer with EXAMPLES=100; SEED=2 makes up others
#   make upgrade         the last release with traffic on its way, followed by this version, rolled back, and followed again; on a stack
#                        of its own, some minutes, and some more for the programs of before, once
#   make restore         docs/restore.md as it is printed: 220 events into other stacks and upon a deleted one's tables; some minutes
#   make soak            2,000 events while functions die at random, 500 while their owner acts, 10,000 recovered, 20 jobs at
#                        each of four paces to the providers' own receivers; half an hour
#   make faults          one fault of AWS after another, and what becomes of 200 events under each; many minutes
#   make bench           what a delivered webhook costs, into docs/performance.md; builds release programs, many minutes
#   make instructions    what a delivery takes in instructions, three times over, into docs/performance.md; fails where they differ
#   make tarpit          what one endpoint that never answers costs a hundred healthy ones; some minutes
#   make noisy           what three noisy tenants cost a fourth one; some minutes
#   make giants          an event to as many as 50,000 webhooks: calls, memory, and another tenant's event beside it; needs
#                        no stack, builds a release program
#   make bench-counts    whether a delivery costs more calls or units than it did; on a stack that is up, whose sources it stills
#   make bench-outage    of the bench, what an endpoint that is down for a day costs
#   make bench-retries   what a retry writes, into docs/performance.md; on a stack that is up, as above
#   make bench-filters   what the worst filters take, into docs/performance.md; needs no stack
#   make release         what is deployed to others' accounts, into dist: programs of both processors as zips, the template, checksums;
#                        ten minutes and more for each processor, whose target has to be installed
#   make openapi         docs/openapi.json anew, as the functions' routes and types say it
#   make lint            formatting, clippy, Python, documentation, dependencies, template
#
# What a target may be given is below, in the Makefile.

#   STRICT=1             no private target at all, as on AWS
#   AUTH=true            the emulator enforces the functions' roles
#   EXTRA_DIALECTS=file  dialects of your own, as docs/dialects.md writes them down
#   ALLOWED_TARGET_CIDRS=10.20.0.0/16,...   private networks of your own that webhooks may point at
#   DENIED_TARGET_DOMAINS=example.com,...   domains that they may not, with all below them
#   OUTAGE_SECONDS=5     outages park after so many seconds, and probe every so many
#   EVENT_TYPES=closed   events of types that the catalogue does not have are refused
#   USER_AGENT=Acme/1    how deliveries name their sender
#   PORTAL_NAME=, PORTAL_ACCENT=, PORTAL_LANGUAGE=, PORTAL_FRAME_ANCESTORS=, PORTAL_RETURN_URL=   how the portal looks (docs/portal.md)
#   RUN_DIR=some/where   a stack of its own beside others
#   ARCH=x86_64          one processor's programs alone, for make release
#   PROFILE=dev          dev builds for this machine, for make release; for who tries one out
#   DIST=some/where      where make release leaves them, if not in dist
#   BUILD=some/where     the programs of that `sam build`, for make second-opinion
#   POSTRIDER_STACK=file the stack to use, by its description, where it is not RUN_DIR's

.PHONY: up down redrive smoke demo check e2e link logs env test second-opinion portal-test portal-picture portal-weights portal-figures clients fuzz \
  upgrade restore soak faults tarpit noisy giants bench bench-counts bench-outage bench-retries bench-filters instructions lint openapi \
  release venv
.DEFAULT_GOAL := help

VENV   := local/.venv
PYTHON_VENV := $(VENV)/bin/python
# Where the person stands, also with `make -C`: from there a relative path is meant.
export STANDS_IN := $(PWD)

.PHONY: help
help:
	@sed -n -e '/^$$/q' -e 's/^#\( \|$$\)//p' Makefile

up: venv
	@$(PYTHON_VENV) local/up.py

down: venv
	@$(PYTHON_VENV) local/down.py

redrive: venv
	@$(PYTHON_VENV) local/redrive.py

# The program's own status tells what does not hold (1) from what could not be run (2); make has 2 for both.
smoke: venv
	@PYTHONPATH=local $(PYTHON_VENV) -m smoke

check: venv
	@$(PYTHON_VENV) local/check.py

e2e: venv
	@$(PYTHON_VENV) local/e2e.py

link: venv
	@$(PYTHON_VENV) local/link.py

logs: venv
	@$(PYTHON_VENV) local/logs.py

env: venv
	@$(PYTHON_VENV) local/env.py

demo: venv
	@$(PYTHON_VENV) local/demo.py

test: venv
	@$(PYTHON_VENV) local/suite.py

second-opinion: venv
	@$(PYTHON_VENV) tests/second_opinion/second_opinion.py

portal-test: venv
	@$(PYTHON_VENV) local/portal.py

portal-picture: venv
	@$(PYTHON_VENV) local/picture.py

portal-weights: venv
	@$(PYTHON_VENV) tests/bench/portal_figures.py weights

portal-figures: venv
	@$(PYTHON_VENV) tests/bench/portal_figures.py

clients: venv
	@$(PYTHON_VENV) local/clients.py

fuzz: venv
	@$(PYTHON_VENV) tests/fuzz/fuzz.py

upgrade: venv
	@$(PYTHON_VENV) tests/upgrade/upgrade.py

restore: venv
	@$(PYTHON_VENV) tests/restore/restoring.py

soak: venv
	@$(PYTHON_VENV) local/long.py soak

faults: venv
	@$(PYTHON_VENV) local/long.py faults

bench: venv
	@$(PYTHON_VENV) tests/bench/bench.py

# The small version, on a stack that is up; its sources are stilled, so take it down afterwards. ACCEPT=1 takes new counts over.
bench-counts: venv
	@$(PYTHON_VENV) tests/bench/counts.py

# The bench's endpoint that is down for a day, alone; builds release programs.
bench-outage: venv
	@$(PYTHON_VENV) tests/bench/outage_alone.py

# What a retry writes at its 1st, 20th, 60th and 180th attempt, into docs/performance.md; on a stack that is up, as above.
bench-retries: venv
	@$(PYTHON_VENV) tests/bench/retries.py

# The worst filters over 256 KiB of data, into docs/performance.md. Needs Valgrind.
bench-filters: venv
	@$(PYTHON_VENV) tests/bench/filters.py

# The bench's yardstick alone. Needs Valgrind.
instructions: venv
	@$(PYTHON_VENV) tests/bench/yardstick.py

tarpit: venv
	@$(PYTHON_VENV) tests/bench/tarpit.py

noisy: venv
	@$(PYTHON_VENV) tests/bench/noisy.py

giants: venv
	@$(PYTHON_VENV) tests/bench/giants.py

openapi: venv
	@$(PYTHON_VENV) local/openapi.py

release: venv
	@$(PYTHON_VENV) local/release.py

lint: venv
	@$(PYTHON_VENV) local/lint.py

venv:
	@local/venv.sh
