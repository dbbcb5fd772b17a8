# The commands of a service outside of this repository. Its Makefile includes this file.

# The context has the name of the package.
NAME := $(shell sed -n 's/^name = "\(.*\)"/\1/p' Cargo.toml | head -1)
LEDGERFOLD := $(patsubst %/scripts/,%,$(dir $(lastword $(MAKEFILE_LIST))))
CLOUD := python3 $(LEDGERFOLD)/localstack/bootstrap.py
ADMIN := cargo run --quiet --bin $(NAME)-admin --
PORT ?= 4566
EMULATOR ?= localstack

.DEFAULT_GOAL := help
.PHONY: help demo test dev up down logs generate build deploy

help: ## List the commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: up ## Send the examples of the API to a local cloud and print the answers
	@$(CLOUD) try

test: up ## Run all tests, write the schemas of new events, and send the examples to a local cloud
	@UPDATE_SCHEMAS=1 cargo test --workspace
	@$(CLOUD) try

dev: ## Run everything in memory, in one process
	@cargo run --bin $(NAME) -- dev $(if $(filter-out 4566,$(PORT)),--port $(PORT))

up: generate ## Start a local cloud, deploy, and leave it running
	@cargo build --quiet --workspace
	@$(CLOUD) up --cargo --port $(PORT) --emulator $(EMULATOR) $(if $(AUTH),--parameter Authentication=$(AUTH))

down: ## Stop the local cloud
	@$(CLOUD) down

logs: ## Show the output of the functions
	@$(CLOUD) logs

generate: ## Write the templates and the OpenAPI document
	@$(ADMIN) generate

build: ## Build the program for Lambda (ARCH=arm64|x86_64)
	@$(LEDGERFOLD)/infra/build.sh

deploy: build ## Deploy to the AWS account of your credentials (STAGE=dev)
	@$(LEDGERFOLD)/infra/deploy.sh
