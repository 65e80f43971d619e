# libcjourney: plain GNU make.  `make help` lists the targets.
#
# Sources are found by wildcard, so a new file needs no line here.  Each flavour has its
# own build/<flavour>/.  What the build needs from the system is looked for when the
# first object is compiled (tests/deps.sh), never while this file is read: on a bare
# machine the packages are not there yet.

VERSION := $(shell sed -n 's/^\#define CJ_VERSION "\(.*\)"/\1/p' include/cjourney.h)
SOVERSION := 0

FLAVOUR ?= release
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
PKG_CONFIG ?= pkg-config
CLANG ?= clang
# Not the first python3 of PATH: that is often one of many, without numpy and pytest.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
BENCH_PYTHON ?= python3
BENCH_EVENTS ?= 1000000
FUZZ_SECONDS ?= 60
JOBS := $(shell nproc 2>/dev/null || echo 2)

# Both cores by default; a -j on the command line wins.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif
MAKEFLAGS += --no-print-directory --no-builtin-rules

B := build/$(FLAVOUR)

# ---- flags -----------------------------------------------------------------------

flags_release := -O2 -g
flags_debug := -O0 -g3 -DCJ__DEBUG_ARENA
flags_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
    -fno-omit-frame-pointer -DCJ__DEBUG_ARENA
flags_tsan := -O1 -g -fsanitize=thread
flags_valgrind := $(flags_debug)
flags_cov := -O0 -g --coverage -fprofile-update=atomic
flags_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
    -fno-sanitize-recover=all -DCJ__DEBUG_ARENA
ifndef flags_$(FLAVOUR)
$(error FLAVOUR=$(FLAVOUR) is unknown: release debug asan tsan valgrind cov fuzz)
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow \
    -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wcast-qual -Wwrite-strings -Wundef \
    -Wformat=2 -Wdouble-promotion -Wimplicit-fallthrough -Wno-overlength-strings
CFLAGS ?= $(flags_$(FLAVOUR))
ALL_CFLAGS = -std=c11 $(CFLAGS) $(WARNINGS) -fPIC -pthread -MMD -MP
ALL_CPPFLAGS = -D_GNU_SOURCE -Iinclude $(CPPFLAGS)

# Looked up once, at first use: `make deps` may have run before that.
pkg = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null || echo '$(3)')
LIB_CFLAGS = $(eval LIB_CFLAGS := $$(call pkg,--cflags,sqlite3 libcjson libxxhash,))$(LIB_CFLAGS)
LIB_LIBS = $(eval LIB_LIBS := $$(call pkg,--libs,sqlite3 libcjson libxxhash,-lsqlite3 -lcjson -lxxhash))$(LIB_LIBS)
CHECK_LIBS = $(eval CHECK_LIBS := $$(call pkg,--libs,check,-lcheck))$(CHECK_LIBS)

# A warning is an error in `make check`, not in a user's build with a compiler of the
# future: an object whose compilation printed something leaves a .log, and the check
# compiles those again with WERROR=-Werror.
WERROR ?=
compile = mkdir -p $(@D) && { $(CC) $(ALL_CPPFLAGS) $(1) $(ALL_CFLAGS) $(WERROR) -c $< -o $@ 2>$@.log; \
    rc=$$?; cat $@.log >&2 2>/dev/null; [ -s $@.log ] || rm -f $@.log; exit $$rc; }
link = mkdir -p $(@D) && $(CC) $(CFLAGS) -pthread $(LDFLAGS) -o $@

# ---- what there is ---------------------------------------------------------------

lib_sources := $(wildcard lib/*.c lib/*/*.c)
lib_objects := $(lib_sources:%.c=$(B)/%.o)
lib_static := $(B)/libcjourney.a
lib_real := $(B)/libcjourney.so.$(VERSION)
lib_soname := libcjourney.so.$(SOVERSION)
lib_shared := $(B)/libcjourney.so

program_sources := $(wildcard examples/cjourney/*.c)
program := $(if $(program_sources),$(B)/bin/cjourney)
example_sources := $(wildcard examples/*.c examples/demo/*.c)
examples := $(example_sources:%.c=$(B)/%)
bench_sources := $(wildcard tests/bench/bench_*.c)
bench_shared := $(filter-out $(bench_sources),$(wildcard tests/bench/*.c))
benches := $(bench_sources:%.c=$(B)/%)

test_sources := $(wildcard tests/test_*.c)
tests := $(test_sources:%.c=$(B)/%)
probe_sources := $(wildcard tests/probe/*.c)
probes := $(probe_sources:%.c=$(B)/%)
fuzz_sources := $(wildcard tests/fuzz/fuzz_*.c)
fuzzers := $(fuzz_sources:%.c=$(B)/%)
# Every other tests/*.c is shared by the suites; a suite links what it uses.
support_sources := $(filter-out $(test_sources),$(wildcard tests/*.c))
support_objects := $(support_sources:%.c=$(B)/%.o)
support := $(if $(support_sources),$(B)/tests/libsupport.a)
python_tests := $(wildcard tests/test_*.py bindings/python/tests/test_*.py)
shell_tests := $(wildcard tests/test_*.sh)

.PHONY: all lib tests examples fuzzers benches help FORCE
all: lib examples ##  the libraries, the program and the examples
lib: $(lib_static) $(lib_shared) ##  static and shared library in build/<flavour>/
examples: $(program) $(examples)
tests: $(tests)
fuzzers: $(fuzzers)
benches: $(benches)

help: ##  this list
	@awk -F ' ##  ' '/^[a-z-]+:.* ##  / { sub(/:.*/, "", $$1); printf "make %-15s %s\n", $$1, $$2 }' Makefile
	@echo 'Variables: FLAVOUR=release|debug|asan|tsan|valgrind|cov CC CFLAGS PREFIX DESTDIR PYTHON'

# ---- building --------------------------------------------------------------------

build/deps-%:
	@sh tests/deps.sh $*
	@mkdir -p build && touch $@

# Changed flags make every object old.
$(B)/flags: FORCE | build/deps-build
	@mkdir -p $(B)
	@echo '$(CC) $(ALL_CPPFLAGS) $(LIB_CFLAGS) $(ALL_CFLAGS) $(LDFLAGS)' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# The migrations in order as C strings, for one #include in room store.
migrations := $(sort $(wildcard lib/store/migrations/*.sql))
$(B)/gen/store/migrations.inc: $(migrations) Makefile
	@mkdir -p $(@D)
	@{ echo '/* Made from lib/store/migrations by the Makefile. */'; \
	   echo 'static const char *const cj__migrations[] = {'; \
	   for f in $(migrations); do echo "/* $${f##*/} */"; \
	       sed -e 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $$f; echo ','; done; \
	   echo '};'; } >$@

# Only what api.c defines is visible in the shared library.
$(B)/lib/%.o: lib/%.c $(B)/flags $(B)/gen/store/migrations.inc
	@echo "  CC    $<"
	@$(call compile,-Ilib -I$(B)/gen $(LIB_CFLAGS) -fvisibility=$(if $(filter api,$*),default,hidden))

$(lib_static): $(lib_objects)
	@echo "  AR    $@"
	@mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^

$(lib_real): $(lib_objects) lib/libcjourney.map
	@echo "  LD    $@"
	@$(link) -shared -Wl,-soname,$(lib_soname) -Wl,--version-script=lib/libcjourney.map \
	    $(if $(filter asan tsan fuzz,$(FLAVOUR)),,-Wl,-z,defs) $(lib_objects) $(LIB_LIBS) -lm

$(lib_shared): $(lib_real)
	@ln -sf $(notdir $(lib_real)) $(B)/$(lib_soname)
	@ln -sf $(lib_soname) $@

# Examples see cjourney.h and their own folder, nothing else of ours.
$(B)/examples/%.o: examples/%.c $(B)/flags
	@echo "  CC    $<"
	@$(call compile,-I$(<D))

$(program): $(program_sources:%.c=$(B)/%.o) $(lib_static)
	@echo "  LD    $@"
	@$(link) $^ $(LIB_LIBS) -lm

$(examples): $(B)/%: $(B)/%.o $(lib_static)
	@echo "  LD    $@"
	@$(link) $^ $(LIB_LIBS) -lm

$(B)/tests/bench/%.o: tests/bench/%.c $(B)/flags
	@echo "  CC    $<"
	@$(call compile,-Ilib $(LIB_CFLAGS))

$(B)/tests/%.o: tests/%.c $(B)/flags | build/deps-check
	@echo "  CC    $<"
	@$(call compile,-Ilib -Itests $(LIB_CFLAGS))

$(support): $(support_objects)
	@rm -f $@ && $(AR) rcs $@ $^

$(tests): $(B)/%: $(B)/%.o $(support) $(lib_static)
	@echo "  LD    $@"
	@$(link) $^ $(CHECK_LIBS) $(LIB_LIBS) -lm

# Programs that ask the inside of the library, for second implementations in Python.
$(probes): $(B)/%: $(B)/%.o $(lib_static)
	@echo "  LD    $@"
	@$(link) $^ $(LIB_LIBS) -lm

$(benches): $(B)/%: $(B)/%.o $(bench_shared:%.c=$(B)/%.o) $(support) $(lib_static)
	@echo "  LD    $@"
	@$(link) $^ $(LIB_LIBS) -lm

ifeq ($(FLAVOUR),fuzz)
$(fuzzers): $(B)/%: $(B)/%.o $(lib_static)
	@$(link) -fsanitize=fuzzer $^ $(LIB_LIBS) -lm
else
$(fuzzers): $(B)/%: $(B)/%.o $(B)/tests/fuzz/replay.o $(lib_static)
	@echo "  LD    $@"
	@$(link) $^ $(LIB_LIBS) -lm
endif

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ---- testing ---------------------------------------------------------------------

.PHONY: deps demo check check-asan check-valgrind check-tsan house run-suites run-all \
    unwarn cov fuzz bench

deps: ##  install what building and testing need, or print how
	@sh tests/deps.sh build check
	@mkdir -p build && touch build/deps-build build/deps-check

demo: all ##  a year of a shop, imported and reported; DATA= MAP= CURRENCY= TIME_ZONE= GUEST= your own file
	@DATA='$(DATA)' MAP='$(MAP)' CURRENCY='$(CURRENCY)' TIME_ZONE='$(TIME_ZONE)' GUEST='$(GUEST)' \
	    sh examples/demo/run.sh $(B)

check: unwarn ##  every test and the house, warnings are errors
	@$(MAKE) WERROR=-Werror run-all

check-asan: ##  the C suites under address and undefined sanitizer
	@$(MAKE) FLAVOUR=asan WERROR=-Werror run-suites

check-tsan: ##  the threads suites under thread sanitizer
	@$(MAKE) FLAVOUR=tsan WERROR=-Werror run-suites ONLY=threads

check-valgrind: ##  the C suites under valgrind
	@sh tests/deps.sh valgrind
	@CJ_TEST_SPARSE=1 $(MAKE) FLAVOUR=valgrind run-suites \
	    UNDER='valgrind -q --error-exitcode=99 --leak-check=full --suppressions=tests/valgrind.supp'

unwarn:
	@find build -name '*.o.log' 2>/dev/null | sed 's/\.log$$//' | xargs -r rm -f

# One line per suite: name, tab, command.  tests/run.sh runs them on all cores.
suite_tests := $(foreach t,$(tests),$(if $(findstring $(or $(ONLY),test_),$(t)),$(t)))
in_flavour := $(filter asan tsan valgrind,$(FLAVOUR))
suites = $(foreach t,$(suite_tests),'$(notdir $(t))	$(if $(in_flavour),CK_FORK=no )$(UNDER) $(t)') \
    $(if $(ONLY),,$(foreach f,$(fuzzers),'$(notdir $(f))	$(UNDER) $(f) $(wildcard tests/fuzz/corpus/$(patsubst fuzz_%,%,$(notdir $(f))))'))
pythons = $(foreach t,$(python_tests),'$(notdir $(t))	$(PYTHON) -m pytest -q -p no:cacheprovider $(t)') \
    $(foreach t,$(shell_tests),'$(notdir $(t))	bash $(t) $(B)')
run = BUILDDIR=$(B) CJOURNEY_LIBRARY=$(CURDIR)/$(lib_shared) CJOURNEY=$(CURDIR)/$(B)/bin/cjourney \
    PYTHON=$(PYTHON) PYTHONPATH=$(CURDIR)/bindings/python PYTHONDONTWRITEBYTECODE=1 CC='$(CC)' \
    sh tests/run.sh $(B)/log $(JOBS)

run-suites: $(tests) $(if $(ONLY),,$(fuzzers) $(program)) | build/deps-check
	@$(run) $(suites)

run-all: lib examples $(tests) $(fuzzers) $(probes) | build/deps-check
	@$(run) $(suites) $(pythons) 'house	$(PYTHON) tests/house.py $(B)'

house: lib ##  floors, laws, headers alone, symbols, struct layout, query plans
	@sh tests/deps.sh check
	@BUILDDIR=$(B) CC='$(CC)' $(PYTHON) tests/house.py $(B)

cov: ##  line coverage of lib/ by the C suites
	@find build/cov -name '*.gcda' 2>/dev/null | xargs -r rm -f
	@$(MAKE) FLAVOUR=cov run-suites
	@cd build/cov && find . -name '*.gcda' -path '*/lib/*' | xargs gcov -n 2>/dev/null | \
	    awk '/^File .*lib\// { f = $$2 } /^Lines/ && f { split($$2, p, /[:%]/); n = $$4; hit += p[2] * n / 100; all += n; \
	        printf "%6.1f %% of %5d  %s\n", p[2], n, f; f = "" } END { if (all) printf "%6.1f %% of %5d  in all\n", 100 * hit / all, all }'

fuzz: ##  each fuzzer for FUZZ_SECONDS, with clang
	@$(MAKE) FLAVOUR=fuzz CC=$(CLANG) fuzzers
	@for f in $(fuzz_sources:%.c=%); do n=$${f##*/fuzz_}; mkdir -p build/fuzz/corpus/$$n; \
	    echo "  FUZZ  $$n"; build/fuzz/$$f -artifact_prefix=build/fuzz/ -max_total_time=$(FUZZ_SECONDS) -timeout=10 -verbosity=0 \
	    build/fuzz/corpus/$$n $$(ls -d tests/fuzz/corpus/$$n 2>/dev/null) || exit 1; done

bench: benches $(program) $(lib_shared) ##  the numbers of DESIGN 11, reached and required; BENCH_EVENTS=10000000 for all
	@BENCH_EVENTS=$(BENCH_EVENTS) CJOURNEY_LIBRARY=$(CURDIR)/$(lib_shared) \
	    $(BENCH_PYTHON) tests/bench/bench.py $(B)

# ---- care ------------------------------------------------------------------------

.PHONY: format tidy docs abi install uninstall dist clean

c_files := $(wildcard include/*.h lib/*.[ch] lib/*/*.[ch] examples/*.[ch] examples/*/*.[ch] \
    tests/*.[ch] tests/*/*.[ch])
format: ##  clang-format in place
	@clang-format -i $(c_files)

tidy: $(B)/gen/store/migrations.inc ##  clang-tidy over the library
	@clang-tidy --quiet --checks='-*,bugprone-*,clang-analyzer-*,-bugprone-easily-swappable-parameters,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling' \
	    --warnings-as-errors='*' $(lib_sources) -- -std=c11 $(ALL_CPPFLAGS) -Ilib -I$(B)/gen $(LIB_CFLAGS)

docs: ##  docs/API.md and docs/SYMBOLS from the header
	@$(PYTHON) docs/generate.py

abi: lib ##  abidiff of the shared library to the last release
	@tag=$$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null); \
	if [ -z "$$tag" ]; then echo 'abi: no release to compare with yet (no tag v*)'; exit 0; fi; \
	rm -rf build/abi && mkdir -p build/abi && git archive $$tag | tar -x -C build/abi && \
	$(MAKE) -C build/abi lib && \
	abidiff --headers-dir1 build/abi/include --headers-dir2 include \
	    build/abi/build/release/libcjourney.so $(lib_shared)

D := $(DESTDIR)
man := $(PREFIX)/share/man/man1/cjourney.1
completion := $(PREFIX)/share/bash-completion/completions/cjourney

install: all ##  to PREFIX (/usr/local) under DESTDIR
	@mkdir -p $(D)$(LIBDIR)/pkgconfig $(D)$(PREFIX)/include $(D)$(PREFIX)/bin \
	    $(D)$(dir $(man)) $(D)$(dir $(completion))
	@install -m 644 include/cjourney.h $(D)$(PREFIX)/include/
	@install -m 644 $(lib_static) $(D)$(LIBDIR)/
	@install -m 755 $(lib_real) $(D)$(LIBDIR)/
	@ln -sf $(notdir $(lib_real)) $(D)$(LIBDIR)/$(lib_soname)
	@ln -sf $(lib_soname) $(D)$(LIBDIR)/libcjourney.so
	@sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' \
	    pkgconfig/cjourney.pc.in >$(D)$(LIBDIR)/pkgconfig/cjourney.pc
	@install -m 755 $(program) $(D)$(PREFIX)/bin/
	@$(program) help --man >$(D)$(man)
	@$(program) completion bash >$(D)$(completion)
	@[ -n "$(D)" ] || ldconfig 2>/dev/null || true
	@echo "installed libcjourney $(VERSION) to $(D)$(PREFIX)"

uninstall: ##  remove what install put there
	@rm -f $(D)$(PREFIX)/include/cjourney.h $(D)$(LIBDIR)/libcjourney.a \
	    $(D)$(LIBDIR)/libcjourney.so* $(D)$(LIBDIR)/pkgconfig/cjourney.pc \
	    $(D)$(PREFIX)/bin/cjourney $(D)$(man) $(D)$(completion)

dist: ##  dist/libcjourney-VERSION.tar.gz of the last commit
	@mkdir -p dist
	@git archive --format=tar.gz --prefix=libcjourney-$(VERSION)/ \
	    -o dist/libcjourney-$(VERSION).tar.gz HEAD
	@echo "dist/libcjourney-$(VERSION).tar.gz"

clean: ##  remove build/ and dist/
	@rm -rf build dist
