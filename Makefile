# The commands of this project. Run `make` to list them.

EMULATOR ?= localstack
PORT ?= 4566
DEMO_INPUT ?= functions/orders/acceptance/demo/orders-small.jsonl
# The context of `demo` and `contract`: the first in CONTEXT, or orders.
SHOWN = $(or $(firstword $(CONTEXT)),orders)
STAGE ?= dev
ARCH ?= arm64
SCHEDULES ?= 100000
LOAD_MINUTES ?= 10
LOAD_RATE ?= 5

# Contexts for the local cloud. Without CONTEXT, all that have a template.
CONTEXTS = $(or $(CONTEXT),$(filter-out platform key,$(basename $(notdir $(wildcard infra/*.yaml)))))
CLOUD := python3 localstack/bootstrap.py
CARGO ?= cargo

.DEFAULT_GOAL := help
.PHONY: help demo test contract simulate up down logs status build lint deploy outside costs bench scale load coldstart speed

help: ## List the commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  EMULATOR=localstack|ministack   emulator of the local cloud (now $(EMULATOR))"
	@echo "  PORT=4566                       port of the local cloud (now $(PORT))"
	@echo "  CONTEXT=\"orders ...\"           contexts that \`up\` deploys (all), and the one of the demo (orders)"
	@echo "  AUTH=token|none                 whether callers of the local cloud need a token (token)"
	@echo "  PAYMENT_DEADLINE=86400          seconds after which an unpaid order is cancelled"
	@echo "  DEMO_INPUT=FILE                 input of the demo of orders; demo/orders.jsonl has twelve times as many orders"

demo: up ## Send commands to a local cloud and print a report (CONTEXT=orders|banking|devices|patients)
	@$(if $(filter patients,$(SHOWN)),$(CARGO) build --quiet --workspace --bin ledgerfold)
	@"$$(scripts/built.sh $(SHOWN)-demo)" $(if $(filter orders,$(SHOWN)),$(DEMO_INPUT))

test: prerequisites up ## Run all tests, including those on the local cloud
	@scripts/test.sh

contract: up ## Check a service against its OpenAPI document with generated requests (CONTEXT=orders|banking|devices, SEED=1)
	@$(CARGO) build --quiet --workspace --bin ledgerfold
	@scripts/contract.sh $(SHOWN)

simulate: prerequisites ## Simulate 100,000 schedules of the whole pipeline (SCHEDULES=...)
	@SCHEDULES=$(SCHEDULES) $(CARGO) test --release --package ledgerfold-simulator -- --nocapture

up: prerequisites ## Start the local cloud, deploy, and leave it running
	@$(CLOUD) up --build "scripts/functions.sh $(CONTEXTS)" --emulator $(EMULATOR) --port $(PORT) \
		$(addprefix --context ,$(CONTEXT)) \
		$(if $(AUTH),--parameter Authentication=$(AUTH)) \
		$(if $(PAYMENT_DEADLINE),--parameter PaymentDeadline=$(PAYMENT_DEADLINE))

down: ## Stop everything that `up` started
	@$(CLOUD) down

logs: ## Show the output of the functions
	@$(CLOUD) logs

status: ## Show the state of the local cloud
	@$(CLOUD) status

build: prerequisites ## Build the programs for Lambda (ARCH=arm64|x86_64)
	@ARCH=$(ARCH) CONTEXT="$(CONTEXT)" infra/build.sh

deploy: build ## Deploy to the AWS account of your credentials (STAGE=dev)
	@STAGE=$(STAGE) ARCH=$(ARCH) CONTEXT="$(CONTEXT)" infra/deploy.sh

lint: prerequisites ## Check formatting, lints, licences and the template
	@scripts/lint.sh

outside: prerequisites ## Follow the tutorial in a folder outside of this repository
	@$(CARGO) build --quiet --workspace --bin ledgerfold
	@scripts/outside.py

speed: up ## Measure how fast the local cloud answers and projects
	@"$$(scripts/built.sh orders-demo)" speed

load: up ## Send orders to the local cloud at a fixed rate, and report latencies (LOAD_MINUTES=10, LOAD_RATE=5 a second)
	@$(CARGO) build --quiet --workspace --bin ledgerfold
	@echo "These are latencies of the emulator $(EMULATOR) on this machine, not of AWS."
	@"$$(scripts/built.sh ledgerfold)" load functions/orders/acceptance/load/orders.jsonl --context orders --role staff \
		--rate $(LOAD_RATE) --lasting $(LOAD_MINUTES)m

costs: prerequisites ## Measure the cost of each operation (WRITE_PRICE and READ_PRICE: per million units)
	@$(CLOUD) dynamodb -- $(CARGO) test --quiet --workspace --features ledgerfold-dynamodb/dynamodb-local \
		--test dynamodb_local -- --nocapture every_operation_costs

scale: prerequisites ## Run the model of growth, from 1,000 to 10 million streams
	@$(CARGO) run --quiet --release --package ledgerfold-scale

bench: prerequisites ## Compare with the bare table and the peers, and update COMPARE.md (BENCH_QUICK=1: only a short run)
	@scripts/bench.sh

coldstart: prerequisites ## Measure how fast functions start, beside a bare runtime (RUNS=50), and check their size
	@scripts/coldstart.sh

.PHONY: prerequisites
prerequisites:
	@scripts/prerequisites.sh
