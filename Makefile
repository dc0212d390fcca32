# hawser: `make demo` shows it, `make undo` takes it away, `make test` proves it, `make bench` measures it.

.PHONY: demo undo test lint bench vm deny build

demo:
	@scripts/demo

undo:
	@scripts/undo

test:
	@scripts/test

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo xtask tidy

bench:
	@scripts/bench

vm:
	@scripts/vm

deny:
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny check bans licenses sources

build:
	cargo build --release --bin hawserd --bin hawser
