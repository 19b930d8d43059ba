# The ways into this repository. `make help` lists them.
#
# Each target installs what it needs: with root rights by apt-get, otherwise it prints the one line to run.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test bench components fmt lint api fuzz docs clean-demo need-rust need-wasm need-cc need-postgres need-testbed need-demo testbed

# CHECK=1 asserts every step and exits; ARGS is handed to farmops-demo.
CHECK ?=
ARGS ?=
# NAME chooses one benchmark, or one parser to fuzz, for FUZZ_SECONDS.
NAME ?=
FUZZ_SECONDS ?= 20

NEED := deploy/need

help: ## This list.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

demo: need-demo ## Build and start two villages with two farmers. CHECK=1 asserts each step and exits; ARGS="--kills 20" adds faults.
	cargo build --workspace --bins
	target/debug/farmops-demo $(if $(CHECK),--check) $(ARGS)

test: need-postgres need-testbed ## All tests, documentation tests included; the tracker's on both databases.
	cargo test --workspace
	TEST_DATABASE=postgres cargo test --workspace --lib writer::
	TEST_DATABASE=postgres cargo test --workspace --lib store::
	TEST_DATABASE=postgres cargo test --workspace --test boundary

testbed: ## Build the Kubernetes that tests talk to; ten minutes the first time, needs Go. Prints where it is.
	@$(NEED) testbed

bench: need-cc ## Benchmarks, one JSON line per figure. NAME=proof-verify runs one.
	@cargo bench --workspace --bench '$(or $(NAME),*)'

components: need-wasm ## The plugins as WebAssembly components, in target/components.
	plugins/build-components

fmt: need-rust ## Format every Rust file.
	cargo fmt --all

lint: need-cc ## The rules no compiler checks, then clippy.
	cargo test --workspace --test repository
	cargo clippy --workspace --all-targets -- -D warnings

api: need-demo ## The tracker's interface against its description, on what a demo left behind.
	cargo build --workspace --bins
	test -d target/demo-check || target/debug/farmops-demo --check --dir target/demo-check --fresh
	tracker/check-api target/demo-check

fuzz: need-cc ## Bytes at every parser of what others write. FUZZ_SECONDS=600 NAME=proof goes on for ten minutes with one.
	deploy/fuzz $(FUZZ_SECONDS) $(NAME)

docs: need-cc ## The documentation of the code, in target/doc.
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

clean-demo: ## Forget everything the demo has stored.
	rm -rf .demo

need-rust:
	@$(NEED) rust

need-wasm: need-rust
	@$(NEED) wasm

need-cc: need-rust
	@$(NEED) cc

need-postgres: need-cc
	@$(NEED) postgres

need-testbed: need-cc
	@$(NEED) testbed >/dev/null
	@$(NEED) kubernetes-validate >/dev/null

need-demo: need-cc
	@$(NEED) alertmanager
