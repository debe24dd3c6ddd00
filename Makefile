# Strowger: what a developer runs. `make help` lists it.
# Every target can be run again quickly; every step says what it does and how long it took.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# Always the whole workspace: a part of it alone would take other features of the dependencies, and
# compile them once more.
CARGO_ALL := --workspace --locked
STAGE := scripts/stage
TOOLS := $(shell scripts/tools-path)
export PATH := $(TOOLS):$(PATH)

##@ Everyday

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@printf '\nWith another order of ports: SIP=127.0.0.1:5070 HTTP=127.0.0.1:8081 ORDERS=127.0.0.1:8091 make demo\n'

.PHONY: setup
setup: ## Check the tools, install what is missing
	@scripts/setup

.PHONY: build
build: guests ## Build the engine, the order service and the guests
	@$(STAGE) 'build' cargo build $(CARGO_ALL)

.PHONY: demo
demo: ## A real call: order service, engine, caller, transcript; ONCE=1 stops after it
	@scripts/setup demo
	@$(MAKE) --no-print-directory build
	@scripts/demo

.PHONY: clean
clean: ## Remove everything that was built
	cargo clean
	rm -rf plugins/target

##@ Checks, in the order of `make test`

.PHONY: test
test: setup check unit ## Everything that must be green

.PHONY: check
check: fmt deny prompts guests checker lint doc pure ## Everything but running the tests

.PHONY: fmt
fmt: ## Layout of the code, both workspaces
	@$(STAGE) 'fmt: engine' cargo fmt --all --check
	@$(STAGE) 'fmt: plugins' cargo fmt --manifest-path plugins/Cargo.toml --all --check

.PHONY: deny
deny: ## Licences and sources of all dependencies
	@$(STAGE) 'deny' scripts/deny

.PHONY: prompts
prompts: ## The load project's prompts are byte for byte as made
	@$(STAGE) 'prompts of flows/bench' bash -c 'cd flows/bench/audio && sha256sum --quiet --check SHA256SUMS'

.PHONY: lint
lint: ## clippy, warnings are errors
	@$(STAGE) 'lint: engine' cargo clippy $(CARGO_ALL) --all-targets -- -D warnings
	@$(STAGE) 'lint: plugins' cargo clippy --manifest-path plugins/Cargo.toml --workspace --all-targets --locked -- -D warnings

.PHONY: doc
doc: ## API documentation, warnings are errors
	@RUSTDOCFLAGS='-D warnings' $(STAGE) 'doc: engine' cargo doc $(CARGO_ALL) --no-deps
	@RUSTDOCFLAGS='-D warnings' $(STAGE) 'doc: plugins' cargo doc --manifest-path plugins/Cargo.toml --workspace --lib --locked --no-deps

.PHONY: pure
pure: ## The pure crates build for wasm32
	@$(STAGE) 'pure crates for wasm32' scripts/pure

.PHONY: guests
guests: ## Build every plugin to a component
	@$(STAGE) 'guests' scripts/guests

.PHONY: checker
checker: ## Build the flow checker for browsers, into target/checker
	@$(STAGE) 'checker for browsers' scripts/checker

.PHONY: unit
unit: guests checker ## All tests, once the checks above are green
	@$(STAGE) 'build: the tests, and the programs that they run' cargo build $(CARGO_ALL) --bins --tests
	@$(STAGE) 'tests: plugins' cargo test --quiet --manifest-path plugins/Cargo.toml --workspace --lib --locked
	@$(STAGE) 'tests: documentation' cargo test --quiet --doc $(CARGO_ALL)
	@$(STAGE) 'tests' cargo nextest run $(CARGO_ALL)

.PHONY: kills
kills: guests ## Kill an engine a thousand times while chats, then calls are busy, on SQLite and PostgreSQL; KILLS and SEED choose
	@$(STAGE) 'build: the tests, and the programs that they run' cargo build $(CARGO_ALL) --bins --tests
	@STROWGER_KILLS=$(or $(KILLS),1000) STROWGER_SEED=$(or $(SEED),$$RANDOM) $(STAGE) 'kills: chats' \
	  cargo test --quiet $(CARGO_ALL) --test chat -- --nocapture --test-threads 1 load_what_was_acknowledged
	@STROWGER_KILLS=$(or $(KILLS),1000) STROWGER_SEED=$(or $(SEED),$$RANDOM) $(STAGE) 'kills: calls' \
	  cargo test --quiet $(CARGO_ALL) --test calls -- --nocapture --test-threads 1 load_what_calls_booked

##@ Measuring

.PHONY: bench
bench: setup guests checker ## Steps, flows, the checker in a browser, then a small load run; optimised build
	@$(STAGE) 'benches' cargo bench $(CARGO_ALL) --benches
	@$(STAGE) 'optimised build' cargo build $(CARGO_ALL) --release --bins
	@$(STAGE) 'load' scripts/load
