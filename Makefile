# smew: one static binary. `make help` lists the targets.
#
# MODE=rel (default), dbg (lock checks, -Og), asan, tsan, cov (line coverage)
# -> build/$(MODE)/. rel and dbg are static musl binaries; the others link the
# system's libc, because their run-time libraries need it. The unit tests do too
# (libcheck is built for it): their objects are in build/$(MODE)/host-obj/.

MODE  ?= rel
BUILD ?= build
O     := $(BUILD)/$(MODE)

# -- what is compiled -------------------------------------------------------
# Guest FPU state is live in the host's registers while our C runs, hence
# -mgeneral-regs-only: no floating point and no vector code in src/.
WARN   := -Wall -Wextra -Wmissing-prototypes -Werror
CFLAGS := -std=gnu11 -g $(WARN) -Isrc -I$(BUILD)/include -pthread \
	-mgeneral-regs-only -fno-pie -ffunction-sections -fdata-sections
LDFLAGS := -no-pie -pthread -Wl,--gc-sections -Wl,-z,noexecstack
HOSTCC ?= gcc

# Library functions that use XMM registers, which hold the guest's: see
# src/env/xmm.c.
comma :=,
WRAP := $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc free vfprintf \
	pthread_cond_init pthread_mutex_init pthread_cond_timedwait cs_open cs_disasm_iter)

# The translator clears and copies many structs of some 50 bytes: by moves, for
# the host's rep stos takes as long as all of them to begin.
opt_rel  := -O2 -mmemset-strategy=unrolled_loop:256:noalign,libcall:-1:noalign \
	-mmemcpy-strategy=unrolled_loop:256:noalign,libcall:-1:noalign
# What translates guest code takes a tenth less time with -O3.
FAST     := $(if $(filter rel,$(MODE)),tcg/% i386/decode i386/emit i386/gen_% \
	i386/peek i386/translate)
opt_dbg  := -Og -DLOCKDEP
opt_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
# gcc warns that tsan knows no fences; what ours order are atomics, which it
# knows. So no report is lost, and none is wrong.
# Its stack of calls is not kept: cpu_loop_exit leaves functions without telling
# it, and a report names the access and its line all the same.
opt_tsan := -O1 -fsanitize=thread -Wno-tsan \
	--param tsan-instrument-func-entry-exit=0
# gcov's counters are integers: -mgeneral-regs-only holds.
opt_cov  := -Og -fprofile-arcs -ftest-coverage -fprofile-update=atomic
OPT      := $(opt_$(MODE))
$(if $(OPT),,$(error MODE is rel, dbg, asan, tsan or cov))
COVLINK  := $(if $(filter cov,$(MODE)),tools/cov_exit.c -Wl$(comma)--wrap=_exit)

ifneq ($(filter rel dbg,$(MODE)),)
CC      := musl-gcc
STATIC  := -static
HOSTOBJ := $(O)/host-obj
else
CC      := $(HOSTCC)
STATIC  :=
HOSTOBJ := $(O)/obj
endif

SRC   := $(sort $(wildcard src/*/*.c src/*/*.S))
OBJ   := $(patsubst src/%,$(O)/obj/%.o,$(SRC))
MAIN  := src/qemu/main.c
HOBJ  := $(patsubst src/%,$(HOSTOBJ)/%.o,$(filter-out $(MAIN),$(SRC)))
UNIT  := $(patsubst tests/unit/%.c,$(O)/unit/%,$(wildcard tests/unit/test_*.c))
SMEW  := $(O)/smew
# V=1 shows the commands.
Q     := $(if $(V),,@)
# Searched when a recipe runs: `make deps` may just have installed it.
CAPSTONE = $(shell $(HOSTCC) -print-file-name=libcapstone.a)
CAPINC   := $(BUILD)/include/capstone

# The demo guest that `smew` without -kernel runs, embedded by src/qemu/demo.S.
DEMO_SRC := $(wildcard tests/guests/demo*.S tests/guests/demo*.c)
DEMO     := $(if $(DEMO_SRC),$(O)/guests/demo.elf)

.PHONY: all help deps deps-check deps-bench run check check-smp bench cov \
	bench-linux bench-grow bench-translate compare linux soak fuzz layers tsa model asan-check fmt clean unit
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

all: $(if $(wildcard $(MAIN)),$(SMEW),$(OBJ)) ## build build/$(MODE)/smew

help: ## this list
	@echo 'make [MODE=rel|dbg|asan|tsan|cov] TARGET'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16

# -- compile and link -------------------------------------------------------
$(O)/obj/%.c.o: src/%.c Makefile | $(CAPINC)
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(CFLAGS) $(OPT) $(if $(filter $(FAST),$*),-O3) \
		$(if $(STATIC),-DXMM_WRAP) -MMD -MP -c $< -o $@

$(O)/obj/%.S.o: src/%.S Makefile | $(CAPINC)
	@mkdir -p $(@D)
	@echo "  AS $@"
	$(Q)$(CC) $(CFLAGS) $(OPT) $(ASFLAGS_$*) -MMD -MP -c $< -o $@

$(O)/host-obj/%.c.o: src/%.c Makefile
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(HOSTCC) $(CFLAGS) $(OPT) $(if $(filter $(FAST),$*),-O3) -MMD -MP -c $< -o $@

$(O)/host-obj/%.S.o: src/%.S Makefile
	@mkdir -p $(@D)
	@echo "  AS $@"
	$(Q)$(HOSTCC) $(CFLAGS) $(OPT) $(ASFLAGS_$*) -MMD -MP -c $< -o $@

# musl-gcc does not look in /usr/include, where capstone's headers are; all of
# that folder would bring the other libc's headers in.
$(CAPINC):
	@mkdir -p $(@D)
	@ln -sfn /usr/include/capstone $@

# smew.debug is the same program with symbols. Moved in place when complete: a
# running smew keeps its file.
$(SMEW): $(OBJ)
	@echo "  LD $@"
	$(Q)$(CC) $(CFLAGS) $(OPT) $(STATIC) $(LDFLAGS) $(if $(STATIC),$(WRAP)) \
		-o $@.debug $(OBJ) $(CAPSTONE) $(COVLINK)
	$(Q)cp $@.debug $@.new
	$(if $(filter rel,$(MODE)),$(Q)strip $@.new)
	@mv $@.new $@

ASFLAGS_qemu/demo := $(if $(DEMO),-DDEMO_ELF='"$(DEMO)"')
$(O)/obj/qemu/demo.S.o $(O)/host-obj/qemu/demo.S.o: $(DEMO)
$(O)/guests/demo.elf: $(DEMO_SRC) tests/guests/demo.ld Makefile
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(HOSTCC) -m32 -march=i686 -O2 -g0 -Wall -Wextra -ffreestanding \
		-nostdlib -fno-pie -no-pie -static -fno-stack-protector \
		-fno-asynchronous-unwind-tables -fcf-protection=none \
		-Wl,--build-id=none -Wl,-T,tests/guests/demo.ld \
		-o $@ $(DEMO_SRC)
	@strip $@

# -- dependencies: Debian packages -------------------------------------------
deps: ## install what is missing (as root), or print the command
	@tools/deps build check
deps-check:
	@tools/deps build check
deps-bench:
	@tools/deps build bench

# What starts from a clean machine builds in parallel without being told to.
SUBMAKE = $(MAKE) --no-print-directory \
	$(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

# -- use ---------------------------------------------------------------------
run: ## build and run the demo guest
	@tools/deps build
	@$(SUBMAKE) -s all
	@$(SMEW)

# What takes arguments or minutes is a program of its own; see notes/testing.md.
bench: deps-bench ## speed: smew, upstream QEMU, native (minutes)
	@$(SUBMAKE) all
	@tests/bench/run $(SMEW)
	@tests/bench/plot
	@tests/bench/smp $(SMEW)
bench-linux: deps-bench ## time to boot Linux, beside upstream
	@$(SUBMAKE) all
	@tests/bench/linux $(SMEW)
compare: deps-bench ## locks beside upstream: workloads and Linux, to build/compare/
	@$(SUBMAKE) all
	@SMEW=$(SMEW) tests/compare/all
bench-grow: deps-bench ## how cost grows with code, address spaces, processors
	@$(SUBMAKE) all
	@tests/bench/grow $(SMEW)
bench-translate: deps-bench ## what a block's translation takes by itself
	@$(SUBMAKE) $(O)/translate
	@$(O)/translate $(BUILD)/guests/busybox
linux: ## boot Debian's i386 Linux to a shell on this terminal
	@tools/deps build linux
	@$(SUBMAKE) -s all
	@tests/boot/shell $(SMEW)
soak: deps-check ## each CPU model, 20 SMP boots of each kind, 1000 resets; random instructions until stopped
	@$(SUBMAKE) all
	@tests/boot/run $(SMEW) models soak
	@RESETS=1000 SMEW=$(SMEW) tests/guests/run smp/resets 2>/dev/null
	@SMEW=$(SMEW) tests/asm/run --soak

fuzz: deps-check ## random bytes as code in every mode; SECONDS=N (3600)
	@$(SUBMAKE) all
	@SMEW=$(SMEW) tests/fuzz/run $(or $(SECONDS),3600)

# -- tests -------------------------------------------------------------------
check: deps-check ## all tests; the last line is the sum
	@$(SUBMAKE) all unit
	@$(SUBMAKE) MODE=asan unit
	@MODE=$(MODE) BUILD=$(BUILD) SMEW=$(SMEW) tools/check

unit: $(UNIT)

# The tests may use floating point; src/ may not.
# An archive, so that a test may bring fakes of its own (clock, ports) for the
# modules under the one it tests.
$(HOSTOBJ)/all.a: $(HOBJ)
	@rm -f $@
	@ar rcs $@ $(HOBJ)

$(O)/unit/%: tests/unit/%.c $(HOSTOBJ)/all.a Makefile
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(HOSTCC) $(filter-out -mgeneral-regs-only,$(CFLAGS)) $(OPT) -MMD -MP \
		-MT $@ -o $@ $< $(HOSTOBJ)/all.a $(LDFLAGS) $(CAPSTONE) \
		$$(pkg-config --libs check) $(COVLINK)

$(O)/translate: tests/bench/translate.c tests/unit/fake_cpu.h $(HOSTOBJ)/all.a Makefile
	@echo "  LD $@"
	$(Q)$(HOSTCC) $(filter-out -mgeneral-regs-only,$(CFLAGS)) $(OPT) -o $@ $< \
		$(HOSTOBJ)/all.a $(LDFLAGS) $(CAPSTONE)

# The generator of tests/asm has the decode tables in it.
$(BUILD)/tests/asm/gen: $(wildcard tests/asm/gen.? tests/asm/random.c tests/asm/forms.? tests/asm/rows.? tests/asm/case.h) \
		$(HOSTOBJ)/all.a Makefile
	@mkdir -p $(@D)
	@echo "  LD $@"
	$(Q)$(HOSTCC) $(filter-out -mgeneral-regs-only,$(CFLAGS)) $(OPT) -Wno-missing-prototypes \
		-o $@ $(filter %.c,$^) $(HOSTOBJ)/all.a $(LDFLAGS) $(CAPSTONE)

# The thread sanitizer is slow: it gets a tenth of the rounds.
SMP_PERCENT ?= $(if $(filter tsan,$(MODE)),10,100)
check-smp: deps-check ## threads: their unit tests, and guests with several processors
	@$(SUBMAKE) all unit $(if $(filter tsan,$(MODE)),$(O)/race)
	@MODE=$(MODE) BUILD=$(BUILD) SMEW=$(SMEW) SMP_PERCENT=$(SMP_PERCENT) \
		tools/check $(if $(filter tsan,$(MODE)),tsan) protocol smp

# A wrong program that the thread sanitizer has to find.
$(O)/race: tests/tsan/race.c $(HOSTOBJ)/all.a Makefile
	@echo "  LD $@"
	$(Q)$(HOSTCC) $(CFLAGS) $(OPT) -o $@ $< $(HOSTOBJ)/all.a $(LDFLAGS)

# What the tests of the processor execute of src/i386, and what they leave out.
COV_GROUPS := unit asm guests icount fuzz cli
cov: deps-check ## line coverage of src/i386 by its tests; lines left out (minutes)
	@$(SUBMAKE) MODE=cov all unit
	@find $(BUILD)/cov -name '*.gcda' -delete
	@SLOW=5 MODE=cov BUILD=$(BUILD) SMEW=$(BUILD)/cov/smew tools/check $(COV_GROUPS) \
		>$(BUILD)/cov/check.log; tail -n 1 $(BUILD)/cov/check.log
	@tools/cov $(BUILD)/cov/obj/i386 src/i386 95

model: ## spin proves the models of the protocols (minutes)
	@tools/deps model
	@tests/model/run

asan-check: deps-check ## the unit tests under the address sanitizer
	@$(SUBMAKE) MODE=asan unit
	@BUILD=$(BUILD) tools/check asan

layers: ## which folder may include which; host headers only in src/env
	@tools/layers src && echo "ok layers"

tsa: ## clang proves the lock annotations; wrong programs must fail
	@tools/deps check
	@tools/tsa

# Tables and the comments beside them are aligned by hand, which clang-format
# undoes: so it is let loose on changed lines only, and to be reviewed.
fmt: ## clang-format the lines changed since the last commit
	@tools/deps fmt
	git clang-format -f --extensions c,h

clean: ## remove build/
	rm -rf $(BUILD)

-include $(OBJ:.o=.d) $(HOBJ:.o=.d) $(UNIT:=.d)
