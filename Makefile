# The verbs of this project. Settings of a local stack stand in deploy/defaults.env; give others as
# in `make up THUMB_HTTP_PORT=8081 THUMB_DATA_DIR=.run2`.
.DEFAULT_GOAL := help
.PHONY: help run up down cluster-up cluster-down logs status replay audit build test bench asan tsan lint fmt clean
.NOTPARALLEL:

RUN_TARGETS := ingest processor state_projector topics auditor

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# A shell that starts us in the background has SIGINT ignored, and a script can't undo that itself.
run: build ## Install, build, start all, send a photo through, follow the logs; Ctrl-C stops it
	@exec env --default-signal=INT,QUIT deploy/run.sh

up: build ## Start what is not running, in the background
	@deploy/stack.sh up

down: ## Stop the stack
	@deploy/stack.sh down

cluster-up: build ## The same on three brokers of our own (a data folder keeps to one or three)
	@THUMB_KAFKA_NODES=3 deploy/stack.sh up

cluster-down: ## Stop the stack and its three brokers
	@THUMB_KAFKA_NODES=3 deploy/stack.sh down

logs: ## Follow the logs of the stack
	@deploy/stack.sh logs

status: ## Say what runs
	@deploy/stack.sh status

replay: ## Rebuild the view from the log; prints its digest before and after
	@deploy/replay.sh

audit: ## Check the log and the blobs of the stack against every promise
	@deploy/audit.sh

build: ## Install what is missing and build the binaries (build/release/bin)
	@deploy/install.sh build run
	@kafka/broker/fetch.sh
	@deploy/build.sh release $(RUN_TARGETS)

test: asan ## All tests, with ASan and UBSan, on a private Kafka
	@tests/support/with_kafka.py -- ctest --preset asan -j3

bench: ## Measure against Fastify + BullMQ + Redis + sharp, and Kafka Streams (20 minutes); make bench-<row> for one row
	@deploy/bench.sh

bench-%:
	@deploy/bench.sh $*

# Not sanitized: this is about what the services do to each other, under more load.
chaos: build ## Random faults under load (THUMB_CHAOS_SECONDS=240), then proof that nothing was lost or doubled
	@deploy/install.sh test
	@tests/support/fetch_toxiproxy.sh
	@/usr/bin/python3 -B tests/e2e/chaos/run.py

asan: ## Build everything with ASan and UBSan (build/asan)
	@deploy/install.sh build run test
	@command -v node >/dev/null || deploy/install.sh node
	@kafka/broker/fetch.sh
	@tests/support/fetch_toxiproxy.sh
	@deploy/build.sh asan

# Debian's librdkafka crashes under TSan, which does not know C11 threads: only what starts no client.
tsan: ## Unit and HTTP tests with TSan
	@deploy/install.sh build run test
	@kafka/broker/fetch.sh
	@deploy/build.sh tsan
	@ctest --preset tsan -j2 -R '^(unit|integration\.http)'

lint: ## clang-format, clang-tidy and shellcheck, changing nothing
	@deploy/install.sh build run lint
	@deploy/lint.sh

fmt: ## Format all C++ files
	@deploy/install.sh lint
	@git ls-files -z --cached --others --exclude-standard '*.h' '*.cc' | xargs -0 clang-format -i

clean: ## Remove what was built (not the data)
	@rm -rf build
