# SPDX-License-Identifier: GPL-2.0
#
# The front door: `make help` lists what there is. What is long lives in scripts/.

# The kernel to build for: a release (KREL=) or a tree with Rust metadata (KDIR=).
export KREL KDIR KTCPVS_MIRROR

PREFIX ?= /usr/local
MODULES_DIR ?= /lib/modules/$(or $(KREL),$(shell uname -r))/extra

.DEFAULT_GOAL := all
.PHONY: all module tools install demo check host-tests test test-debug test-debug-core guest-tests \
	fuzz bench bench-profile bench-native shell help clean fuzz-guest storm

## all: the module and the tool, in build/ (the default)
all: module tools

## module: build/ktcpvs.ko, for the running kernel or that of KREL= or KDIR=
module:
	scripts/build-module build/ktcpvs.ko

## tools: build/tcpvsadm
tools:
	scripts/build-tools build/tcpvsadm

## install: puts both, and the manual page, where the system looks for them
install: all
	install -D -m 644 build/ktcpvs.ko $(DESTDIR)$(MODULES_DIR)/ktcpvs.ko
	install -D -m 755 build/tcpvsadm $(DESTDIR)$(PREFIX)/sbin/tcpvsadm
	install -D -m 644 Documentation/man/tcpvsadm.8 $(DESTDIR)$(PREFIX)/share/man/man8/tcpvsadm.8
	[ -n "$(DESTDIR)" ] || depmod $(KREL)

## demo: boots the distribution's kernel in an emulator and shows the module at work
demo:
	scripts/guest demo

## test: everything: check, the functional tests in a guest, and test-debug-core
test:
	scripts/test

## check: format, lints, and the tests that run on the host
check:
	scripts/check

## guest-tests: the functional tests alone; PYTEST= takes arguments, such as PYTEST="-k rules"
guest-tests:
	scripts/guest suite $(PYTEST)

## test-debug: all functional tests on a kernel with KASAN, lockdep and kmemleak, for hours; PART=1/4 is a quarter
test-debug:
	KTCPVS_KERNEL=debug scripts/guest $(if $(PART),--part $(PART)) suite $(PYTEST)

## test-debug-core: those of them that go through all paths (tests/functional/core.txt)
test-debug-core:
	KTCPVS_KERNEL=debug scripts/guest suite --core $(PYTEST)

## fuzz: looks for inputs that core cannot take; TIME= seconds (60) for each TARGET=, JOBS= at once
fuzz:
	scripts/fuzz run

## fuzz-guest: netlink and TCP by chance in a guest, each test for TIME= seconds; SEED= repeats one
fuzz-guest:
	KTCPVS_FUZZ_TIME=$(TIME) KTCPVS_SEED=$(or $(SEED),$(shell date +%s)) \
		scripts/guest suite -rP -k fuzz

## storm: the storm test for long; EVENTS= and TIME= (seconds) end it, SEED= repeats it
storm:
	KTCPVS_STORM_EVENTS=$(or $(EVENTS),100000) KTCPVS_STORM_TIME=$(or $(TIME),1800) \
		KTCPVS_SEED=$(or $(SEED),$(shell date +%s)) scripts/guest suite -k test_storm.py -s $(PYTEST)

## bench: what a request costs through this, HAProxy, nginx and IPVS; CASES= and SYSTEMS= choose
bench:
	scripts/bench $(SYSTEMS:%=--system %) $(CASES)

## bench-profile: the same for CASES= and SYSTEMS=, by function of the kernel and the module
bench-profile:
	scripts/bench --profile $(SYSTEMS:%=--system %) $(CASES)

## bench-native: the same by the clock, with all CPUs of a machine that has the module loaded
bench-native:
	scripts/bench --native $(SYSTEMS:%=--system %) $(CASES)

## shell: a root shell in the guest, with the network up and the module loaded
shell:
	scripts/guest shell

## help: this list
help:
	@sed -n 's/^## //p' Makefile

## clean: removes build/; the cache, in ~/.cache/ktcpvs, stays
clean:
	rm -rf build
