# The front door. `make` alone says what there is.

EMULATOR ?= localstack
PORT ?= 4566
DEMO_INPUT ?= functions/orders/acceptance/demo/orders-small.jsonl
STAGE ?= dev
ARCH ?= arm64
SCHEDULES ?= 100000

FUNCTIONS := orders-command orders-relay orders-projector orders-query orders-process orders-deadlines orders-spot-check
LOCAL := target/local
CLOUD := python3 localstack/bootstrap.py
CARGO ?= cargo

.DEFAULT_GOAL := help
.PHONY: help demo test contract simulate up down logs status build lint deploy costs bench speed

help: ## Show this
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  EMULATOR=localstack|ministack   which local cloud (now $(EMULATOR))"
	@echo "  PORT=4566                       where it listens (now $(PORT))"
	@echo "  PAYMENT_DEADLINE=86400          seconds after which an unpaid order is cancelled"
	@echo "  DEMO_INPUT=FILE                 what the demo sends; demo/orders.jsonl has twelve times as much"

demo: up ## Run orders on a local cloud: real input, a report, a replay
	@target/debug/orders-demo $(DEMO_INPUT)

test: prerequisites up ## Run all tests, those on the local cloud too
	@scripts/test.sh

contract: up ## Hold the service to its OpenAPI document with generated requests (SEED=1)
	@scripts/contract.sh

simulate: prerequisites ## Run 100,000 schedules of the whole pipeline (SCHEDULES=...)
	@SCHEDULES=$(SCHEDULES) $(CARGO) test --release --package ledgerfold-proofs --test simulator -- --nocapture

up: prerequisites ## Start the local cloud, deploy, and leave it running
	@$(CLOUD) up --build "scripts/functions.sh $(FUNCTIONS)" --emulator $(EMULATOR) --port $(PORT) \
		$(if $(PAYMENT_DEADLINE),--parameter PaymentDeadline=$(PAYMENT_DEADLINE))

down: ## Stop everything that `up` started
	@$(CLOUD) down

logs: ## Show what the functions have said
	@$(CLOUD) logs

status: ## Say what is up
	@$(CLOUD) status

build: prerequisites ## Build the functions for Lambda (ARCH=arm64|x86_64)
	@ARCH=$(ARCH) infra/build.sh

deploy: build ## Deploy to the AWS account of your credentials (STAGE=dev)
	@STAGE=$(STAGE) ARCH=$(ARCH) infra/deploy.sh

lint: prerequisites ## Check formatting, lints, licences and the template
	@scripts/lint.sh

speed: up ## Measure how fast the local cloud answers and projects
	@target/debug/orders-demo speed

costs: prerequisites ## Measure what each operation costs (WRITE_PRICE and READ_PRICE: per million units)
	@$(CLOUD) dynamodb -- $(CARGO) test --quiet --workspace --features ledgerfold-dynamodb/dynamodb-local \
		--test dynamodb_local -- --nocapture every_operation_costs

bench: prerequisites ## Measure against the bare table and the peers, into COMPARE.md (BENCH_QUICK=1: a try)
	@scripts/bench.sh

.PHONY: prerequisites
prerequisites:
	@scripts/prerequisites.sh
