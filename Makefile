# imd - instant messaging for the nginx that is already there.
#
#   make run            a private nginx and imd on http://127.0.0.1:8080/, in the foreground
#   make test           all tests, against real nginx, nchan and SQLite
#   make help           every target

SHELL   := /bin/bash
VERSION := 0.1.0
PORT    ?= 8080
STATE   ?= build/run
SECONDS ?= 60
MINUTES ?= 10
REQUESTS ?= 1000000
PREFIX  ?= /usr/local
RUNDIR  ?= /run/imd

# SANITIZE=address,undefined (or thread) makes a sanitized build beside the normal one.
SANITIZE ?=

comma    := ,
BUILD    := build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))
CC       ?= cc
PYTHON   := /usr/bin/python3
CPUS     := $(shell nproc)

# make and make install need no network and install no package. They honour CC, CPPFLAGS, CFLAGS,
# LDFLAGS, DESTDIR and PREFIX. A warning does not stop a build, because another compiler may have
# new ones; make check and .ci/run set WERROR to -Werror.
WERROR   ?=
WARNINGS  = -Wall -Wextra $(WERROR) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wnull-dereference -Wdouble-promotion
# An id that is too wide must not be truncated to another one: fcgi_app/model/ids.h.
NARROW   := -Wconversion -Wno-sign-conversion
CFLAGS   ?= -O2 -g
# The checked string functions need an optimizer. The flags that a distribution passes may choose
# their level.
OPTIMIZED := $(filter-out -O0,$(filter -O%,$(CFLAGS)))
CHOSEN    := $(SANITIZE)$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS))
FORTIFY   := $(if $(CHOSEN),,$(if $(OPTIMIZED),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
HARDEN   := -fstack-protector-strong -fstack-clash-protection -fPIE $(FORTIFY)
IMD_CFLAGS  = -std=c11 -D_GNU_SOURCE -DIMD_VERSION='"$(VERSION)"' -Ifcgi_app $(PG_CFLAGS) $(WARNINGS) $(HARDEN) -pthread \
               $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
IMD_LDFLAGS := -pthread -pie -Wl,-z,relro,-z,now,-z,noexecstack $(if $(SANITIZE),-fsanitize=$(SANITIZE))
# Where libpq is missing, imd is built without PostgreSQL. POSTGRESQL= leaves it out as well.
POSTGRESQL ?= $(shell pkg-config --exists 'libpq >= 14' 2>/dev/null && echo yes)
PG_CFLAGS  := $(if $(POSTGRESQL),-DIMD_POSTGRESQL $(shell pkg-config --cflags libpq))
LIBS     := -lfcgi -lsqlite3 -ljansson -ljwt -lcrypto -lseccomp $(if $(POSTGRESQL),$(shell pkg-config --libs libpq))

# Only unit tests use the engine in memory. They have their own list of engines.
MEMORY     := $(sort $(wildcard fcgi_app/store/memory/*.c))
SOURCES    := $(sort $(filter-out $(MEMORY) $(if $(POSTGRESQL),,fcgi_app/store/pg/%),$(wildcard fcgi_app/*.c fcgi_app/*/*.c fcgi_app/*/*/*.c)))
GENERATED  := migrations $(if $(POSTGRESQL),pg_migrations) openapi
OBJECTS    := $(SOURCES:fcgi_app/%.c=$(BUILD)/obj/%.o) $(GENERATED:%=$(BUILD)/obj/%.o)
IMCTL      := $(filter $(BUILD)/obj/imctl/%,$(OBJECTS))
MAINS      := $(BUILD)/obj/main.o $(IMCTL)
LIBOBJECTS := $(filter-out $(MAINS),$(OBJECTS))
# The part of imctl that unit tests and fuzz targets call.
CLIENT     := $(BUILD)/obj/imctl/fastcgi.o
MIGRATIONS    := $(sort $(wildcard schema/sqlite/*.sql))
PG_MIGRATIONS := $(sort $(wildcard schema/postgresql/*.sql))
# ThreadSanitizer finds nothing in a test that has one thread.
UNIT_FILES := $(filter-out tests/unit/support% $(if $(POSTGRESQL),,tests/unit/pg_%),$(sort $(if $(filter thread,$(SANITIZE)), \
              $(shell grep -lE 'pthread_create|support_threads|\bfork\b' tests/unit/*.c),$(wildcard tests/unit/*.c))))
UNIT       := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_FILES))
# Tests that use only the interface of store/ run on each other engine as well.
ON_EACH    := $(filter $(addprefix $(BUILD)/unit/,domain_% store_messages store_suite),$(UNIT))
# Tests of the engine of PostgreSQL run on it alone.
ON_PG      := $(filter $(BUILD)/unit/pg_%,$(UNIT))
# On PostgreSQL these take minutes, because they store thousands of messages one by one.
ON_PG_SLOW := $(addprefix $(BUILD)/unit/,domain_belong domain_history domain_inbox domain_reading store_messages)
UNIT_LIB   := $(filter-out $(BUILD)/obj/store/engines.o,$(LIBOBJECTS)) $(MEMORY:fcgi_app/%.c=$(BUILD)/obj/%.o) $(CLIENT)

.PHONY: all run cluster test-cluster test test-redis test-browser picture check lint asan soak storm bench isolation fuzz compilers format install clean help deps compiled unit unit-postgresql blackbox blackbox-parallel \
  blackbox-timed

all: $(BUILD)/imd $(BUILD)/imctl

$(BUILD)/imd: $(BUILD)/obj/main.o $(LIBOBJECTS)
$(BUILD)/imctl: $(IMCTL) $(LIBOBJECTS)
$(BUILD)/imd $(BUILD)/imctl:
	@echo LD $@
	@$(CC) $(CFLAGS) $(IMD_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/obj/%.o: fcgi_app/%.c Makefile
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(IMD_CFLAGS) $(NARROW) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Compiled again once libpq is there, or no longer.
ENGINES := $(BUILD)/engines$(if $(POSTGRESQL),-with-postgresql)
$(BUILD)/obj/store/engines.o: $(ENGINES)
$(ENGINES):
	@mkdir -p $(@D) && rm -f $(BUILD)/engines* && touch $@

# The scripts of schema/, as C strings: of each engine, a table and its length.
$(BUILD)/migrations.c: $(MIGRATIONS) Makefile
	@$(call embed_scripts,store/sqlite/migrate.h,migration,$(MIGRATIONS))

$(BUILD)/pg_migrations.c: $(PG_MIGRATIONS) Makefile
	@$(call embed_scripts,store/pg/migrate.h,pg_migration,$(PG_MIGRATIONS))

embed_scripts = mkdir -p $(@D); \
	{ echo '\#include "$(1)"'; echo 'const struct $(2) $(2)s[] = {'; \
	  for f in $(3); do \
	    echo "{\"$$(basename $$f)\","; sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $$f; echo '},'; \
	  done; echo '};'; echo 'const int $(2)_count = $(words $(3));'; } > $@

# The machine-readable contract, as C strings, one per line.
$(BUILD)/openapi.c: fcgi_app/openapi.json Makefile
	@mkdir -p $(@D)
	@{ echo '#include "api/openapi.h"'; echo 'const char *const openapi_lines[] = {'; \
	  sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n",/' $<; echo '};'; \
	  echo "const int openapi_line_count = $$(wc -l < $<);"; } > $@

$(GENERATED:%=$(BUILD)/obj/%.o): $(BUILD)/obj/%.o: $(BUILD)/%.c
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(IMD_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

-include $(OBJECTS:.o=.d) $(MEMORY:fcgi_app/%.c=$(BUILD)/obj/%.d)

# --- running and testing

# Compiles in a make of its own, which finds the libraries that deps-run has installed.
run: deps-run
	@$(MAKE) --no-print-directory all
	@STATE="$(STATE)" PORT="$(PORT)" SITE="$(SITE)" LISTEN="$(LISTEN)" AUTH="$(AUTH)" LIMITS="$(LIMITS)" STORE="$(STORE)" REDIS="$(REDIS)" PREFIX= IMD="$(CURDIR)/$(BUILD)/imd" exec nginx/serve.sh

# UNIT_LIB is imd without its main(). All unit tests share support*.c.
SUPPORT := $(sort $(filter-out $(if $(POSTGRESQL),,%_postgresql.c),$(wildcard tests/unit/support*.c)))
SUPPORT_OBJECTS := $(SUPPORT:tests/unit/%.c=$(BUILD)/support/%.o)

$(BUILD)/support/%.o: tests/unit/%.c Makefile
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(IMD_CFLAGS) -Itests/unit $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(SUPPORT_OBJECTS:.o=.d)

UNIT_HEADERS := $(wildcard tests/unit/support*.h)

$(BUILD)/unit/%: tests/unit/%.c $(UNIT_HEADERS) $(SUPPORT_OBJECTS) $(UNIT_LIB) Makefile
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(IMD_CFLAGS) -Itests/unit $(CPPFLAGS) $(CFLAGS) -o $@ $< $(filter %.o,$^) \
	  $(IMD_LDFLAGS) $(LDFLAGS) -lcmocka $(LIBS)

# Everything that the tests need compiled, in one target, so that make can compile it in parallel.
compiled: all $(UNIT)

# Most tests would wait for the disk, because imd answers after an fsync. So their files are in
# memory, if there is a tmpfs with 2 GB to spare. SCRATCH= keeps them on the disk. Tests of ON_DISK
# always use the disk, because they test durability, or measure time.
SCRATCH ?= $(shell [ -w /dev/shm ] && df -t tmpfs --output=avail -k /dev/shm 2>/dev/null | \
                   awk '$$1 + 0 > 2000000 { print "/dev/shm" }')
IN_MEMORY = $(if $(SCRATCH),TMPDIR=$(SCRATCH))
ON_DISK  := tests/fault% tests/model% tests/limits%

# Each unit test is a program; JOBS of them run in parallel. Those on PostgreSQL share a server.
unit: $(UNIT)
	@$(MAKE) -j$(JOBS) --no-print-directory --output-sync=target $(patsubst %,run/%,$(filter-out $(ON_PG),$(UNIT))) $(ON_EACH:%=run-on-memory/%)
	@$(call on_postgresql,$(ON_PG) $(filter-out $(ON_PG_SLOW),$(ON_EACH)))

unit-postgresql: $(ON_EACH)
	@$(call on_postgresql,$(ON_PG_SLOW))

on_postgresql = $(if $(POSTGRESQL),$(IN_MEMORY) tests/lib/with_postgresql.sh \
  $(MAKE) -j$(JOBS) --no-print-directory --output-sync=target $(1:%=run-on-postgresql/%))

run/%:
	@$(IN_MEMORY) $*

run-on-memory/%:
	@$(IN_MEMORY) IMD_ENGINE=memory $*

run-on-postgresql/%:
	@$(IN_MEMORY) IMD_ENGINE=postgresql $*

# Each of TESTS runs in its own pytest with its own stacks. JOBS run at a time, because they wait
# more than they compute; the longest begin first. Those that measure time run afterwards, alone.
TESTS ?= tests/push tests/auth tests/fault tests/http tests/model tests/spec tests/imctl tests/limits
ALONE := tests/limits
JOBS  ?= $(shell echo $$(($(CPUS) * 2)))

blackbox: all
	@$(MAKE) --no-print-directory blackbox-parallel
	@$(MAKE) --no-print-directory blackbox-timed

blackbox-parallel: all
	@$(MAKE) -j$(JOBS) --no-print-directory --output-sync=target $(TESTS_ON_POSTGRESQL:%=pytest-on-postgresql/%) \
	  $(addprefix pytest/,$(filter-out $(ALONE),$(TESTS)))

blackbox-timed: all
	@$(MAKE) --no-print-directory $(addprefix pytest/,$(filter $(ALONE),$(TESTS)))

pytest/%:
	@echo "== $*"
	@$(if $(filter $(ON_DISK),$*),,$(IN_MEMORY)) IMD="$(CURDIR)/$(BUILD)/imd" TSAN_OPTIONS="suppressions=$(CURDIR)/tests/lib/tsan.supp" \
	  $(PYTHON) -m pytest -c tests/pytest.ini -p no:cacheprovider -q $*

# Of TESTS_ON_POSTGRESQL, which blackbox-parallel runs beside TESTS.
pytest-on-postgresql/%:
	@$(MAKE) --no-print-directory STORE=postgresql pytest/$*

test: deps
	@$(MAKE) --no-print-directory -j$(CPUS) compiled
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory unit-postgresql
	@$(MAKE) --no-print-directory blackbox

# The tests with Redis. They take long: they fail over, or wait until imd asks nchan.
test-redis: deps all
	@IMD="$(CURDIR)/$(BUILD)/imd" $(PYTHON) -m pytest -c tests/pytest.ini -p no:cacheprovider -q tests/redis

# A cluster on this machine: two hosts, PostgreSQL with a synchronous standby, Redis. By default not
# in the directory of make run.
CLUSTER := $(if $(filter file,$(origin STATE)),build/cluster,$(STATE))

cluster: deps-cluster
	@$(MAKE) --no-print-directory all
	@IMD="$(CURDIR)/$(BUILD)/imd" exec $(PYTHON) tests/cluster/cluster.py "$(CLUSTER)"

# Each part of it fails while posts go through both hosts. Prints how long nobody was answered.
test-cluster: deps-cluster
	@$(MAKE) --no-print-directory all
	@IMD="$(CURDIR)/$(BUILD)/imd" $(PYTHON) -m pytest -c tests/pytest.ini -p no:cacheprovider -q -rP tests/cluster

# A separate npm install under build/, according to the lock file of tests/%.
build/%/node_modules: tests/%/package.json tests/%/package-lock.json
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# The browser client, against a server that loses and reorders; and the chat page in real Chromium,
# against the real imd. Screenshots are left in build/browser/screenshots. nginx/html/*.js are
# modules, which Node before 20.19 must be told.
NODE = node $(if $(shell node --help | grep -e --experimental-default-type),--experimental-default-type=module)

BROWSER_TESTS ?= $(wildcard tests/browser/*.test.js)
BROWSER_ALONE := $(addprefix tests/browser/,two_people_see_each_other_within_a_second.test.js \
                 ten_thousand_messages_scroll_without_a_jump.test.js)

# JOBS files in parallel. Those that measure time run before the others, alone.
test-browser: deps-browser all build/browser/node_modules
	@run() { [ $$# -eq 1 ] || $(IN_MEMORY) IMD="$(CURDIR)/$(BUILD)/imd" NODE_PATH="$(CURDIR)/build/browser/node_modules" \
	  $(NODE) --test --test-reporter=spec --test-concurrency=$$*; }; \
	run 1 $(filter $(BROWSER_ALONE),$(BROWSER_TESTS)) && run $(JOBS) $(filter-out $(BROWSER_ALONE),$(BROWSER_TESTS))

# Renders the README's picture of the page again.
picture:
	@$(MAKE) --no-print-directory test-browser BROWSER_TESTS=tests/browser/the_page_is_accessible_in_every_look.test.js
	cp build/browser/screenshots/desk-light-conversation.png nginx/page.png

# A sanitizer's report fails the test that caused it: imd's log must contain nothing but its own
# lines. tests/limits measures nginx and time, so a sanitizer adds nothing there.
# ThreadSanitizer runs the tests in which threads, processes and connections come and go.
RACES = $(foreach name,$(RACING),$(or $(wildcard tests/$(name).py),$(error RACING: there is no tests/$(name).py)))
RACING := fault/test_a_hangup_* fault/test_a_killed_* fault/test_a_locked_* fault/test_a_stop_* \
          fault/test_control_requests_survive_* \
          http/test_many_nginx_workers_* http/test_a_resync_during_writes_* \
          push/test_a_burst_* push/test_silent_users_* push/test_everything_sent_after_*

asan: deps
	@$(MAKE) --no-print-directory SANITIZE=address,undefined -j$(CPUS) compiled
	@$(MAKE) --no-print-directory SANITIZE=thread -j$(CPUS) compiled
	@$(MAKE) --no-print-directory SANITIZE=address,undefined unit blackbox TESTS="$(filter-out tests/limits tests/spec,$(TESTS))"
	@$(MAKE) --no-print-directory SANITIZE=thread unit blackbox TESTS="$(RACES)"

# The model test, for MINUTES: clients that lose frames, sockets, nginx and imd must end with the
# state of the database.
soak: deps all
	@IMD="$(CURDIR)/$(BUILD)/imd" $(PYTHON) tests/model/soak.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

# Sends REQUESTS malformed requests through nginx and directly to the FastCGI socket. They must
# change nothing.
storm: deps all
	@IMD="$(CURDIR)/$(BUILD)/imd" $(PYTHON) tests/fuzz/storm.py --requests $(REQUESTS) $(if $(SEED),--seed $(SEED))

check: export WERROR = -Werror
check: lint test test-browser asan

# Each of COMPILERS must accept imd and its unit tests without a warning: by default, those of gcc
# 12 to 14 and clang 14 to 19 that this Debian has. Clang warns before it optimizes, so it need not
# compile.
COMPILERS ?= $(shell for c in gcc-12 gcc-13 gcc-14 clang-14 clang-15 clang-16 clang-17 clang-18 clang-19; do \
               apt-cache show $$c >/dev/null 2>&1 && echo $$c; done)

compilers: deps-compilers compiled
	@v=$$($(CC) -dumpfullversion 2>/dev/null); for c in $(COMPILERS); do \
	  case $$c in clang*) how=-fsyntax-only ;; *) how='-c -o /dev/null' ;; esac; \
	  if [ -n "$$v" ] && [ "$$v" = "$$($$c -dumpfullversion 2>/dev/null)" ]; then echo "$$c has compiled it"; continue; fi; \
	  echo "$$c $$how"; \
	  printf '%s\n' $(SOURCES) $(MEMORY) $(BUILD)/migrations.c $(BUILD)/openapi.c | \
	    xargs -P $(CPUS) -n 1 $$c $(IMD_CFLAGS) -Werror $(NARROW) $(CPPFLAGS) $(CFLAGS) $$how || exit 1; \
	  printf '%s\n' $(UNIT_FILES) $(SUPPORT) | \
	    xargs -P $(CPUS) -n 1 $$c $(IMD_CFLAGS) -Werror -Itests/unit $(CPPFLAGS) $(CFLAGS) $$how || exit 1; done

# --- measuring

build/bench/echo: tests/bench/echo.c Makefile
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O2 -o $@ $< -lfcgi -pthread

bench: deps all build/bench/echo
	@$(PYTHON) tests/bench/bench.py $(BENCH)

# How much the most expensive caller slows others down: p90s without and with that caller.
isolation: deps all
	@IMD="$(CURDIR)/$(BUILD)/imd" $(PYTHON) tests/bench/isolation.py $(BENCH)

# --- code

C_FILES := $(sort $(wildcard fcgi_app/*.[ch] fcgi_app/*/*.[ch] fcgi_app/*/*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch] tests/bench/*.[ch] tests/fault/*.c))

WEB_FILES := $(sort $(wildcard nginx/html/*.js nginx/html/*.ts nginx/html/*.css tests/browser/*.js))
PRETTIER  := build/lint/node_modules/.bin/prettier --print-width=120 --log-level=warn

# Prints the names of the files that it changes.
format: build/lint/node_modules
	@files=$$(git ls-files); before=$$(sha256sum $$files); \
	$(PYTHON) tests/lint/wrap_comments.py && clang-format -i $(C_FILES) && \
	$(PRETTIER) --write $(WEB_FILES) >/dev/null && \
	{ sha256sum $$files | grep -vxF "$$before" | sed 's/^[0-9a-f]*  /formatted /' || :; }

MAN_PAGES := $(sort $(wildcard docs/man/*.[1-9]))

# Checks formatting, which room includes which, hardening, the man pages, two analysers' reports,
# and openapi.json.
lint: deps-lint build/lint/node_modules all
	@clang-format --dry-run -Werror $(C_FILES)
	@$(PRETTIER) --check $(WEB_FILES)
	@$(PYTHON) tests/lint/rooms.py
	@$(PYTHON) tests/lint/style.py
	@codespell --ignore-words=tests/lint/words --skip='./build,./.git,*.png,package-lock.json,./tests/fuzz/seeds,./tests/lint/words' .
	@$(PYTHON) tests/lint/page.py
	@$(PYTHON) tests/lint/links.py
	@$(PYTHON) tests/lint/targets.py
	@! mandoc -T lint -W style $(MAN_PAGES) 2>/dev/null | grep -v 'referenced manual not found'
	@tests/lint/hardened.sh $(BUILD)/imd $(BUILD)/imctl
	@cppcheck --quiet -j $(CPUS) --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	  -Ifcgi_app fcgi_app
	@printf '%s\n' $(SOURCES) $(MEMORY) \
	  | xargs -P $(CPUS) -n 4 sh -c 'clang-tidy --quiet "$$@" -- -std=c11 -D_GNU_SOURCE -Ifcgi_app $(PG_CFLAGS) 2>/dev/null' sh \
	  | { ! grep -E 'error:|warning:'; }
	@out=$$(REDOCLY_SUPPRESS_UPDATE_NOTICE=true build/lint/node_modules/.bin/redocly lint --format=stylish \
	  --config=tests/lint/redocly.yaml fcgi_app/openapi.json 2>&1) || { echo "$$out"; exit 1; }

FUZZ        := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(sort $(wildcard tests/fuzz/*.c)))
FUZZ_CFLAGS  = -std=c11 -D_GNU_SOURCE -Ifcgi_app -Itests/fuzz $(PG_CFLAGS) -Wall -Wextra $(WERROR) -g -O1 -pthread \
               -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_OBJECTS := $(patsubst $(BUILD)/obj/%,build/fuzz/obj/%,$(LIBOBJECTS) $(CLIENT))

# imd without its main(), instrumented: compiled once for all fuzz targets.
build/fuzz/obj/%.o: fcgi_app/%.c Makefile
	@mkdir -p $(@D)
	@echo CC $<, instrumented
	@clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

build/fuzz/obj/migrations.o build/fuzz/obj/pg_migrations.o build/fuzz/obj/openapi.o: build/fuzz/obj/%.o: $(BUILD)/%.c
	@mkdir -p $(@D)
	@clang $(FUZZ_CFLAGS) -c -o $@ $<

build/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.h $(FUZZ_OBJECTS)
	@mkdir -p $(@D)
	@echo CC $<
	@clang $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_OBJECTS) $(LIBS)

# Otherwise make treats them as intermediate files and deletes them.
.SECONDARY: $(FUZZ_OBJECTS)
-include $(FUZZ_OBJECTS:.o=.d)

# SECONDS for each target. New findings are left under build/fuzz. FUZZ=build/fuzz/body runs one
# target.
fuzz: deps-fuzz
	@$(MAKE) --no-print-directory -s -j$(CPUS) $(FUZZ)
	@$(PYTHON) tests/fuzz/run.py --seconds $(SECONDS) $(FUZZ)

# --- packages, as NAME:WHY. Missing ones are installed with apt, as root or by sudo.

PACKAGES_POSTGRESQL := \
  libpq-dev:libpq,-the-client-of-PostgreSQL \
  pkg-config:finds-libpq \
  postgresql:PostgreSQL-itself
PACKAGES_RUN := \
  $(if $(filter postgresql%,$(STORE)),$(PACKAGES_POSTGRESQL)) \
  gcc:the-compiler \
  libc6-dev:the-C-library \
  libfcgi-dev:FastCGI,-how-nginx-hands-over-requests \
  libsqlite3-dev:SQLite,-the-database \
  libjansson-dev:jansson,-reads-and-checks-JSON \
  libjwt-dev:libjwt,-tokens \
  libssl-dev:OpenSSL,-whose-cryptography-libjwt-uses-too \
  libseccomp-dev:libseccomp,-what-imd-can-never-do \
  nginx-light:nginx-itself \
  libnginx-mod-nchan:nchan,-holds-the-subscribers \
  curl:asks-whether-all-is-ready
PACKAGES_TEST := \
  libcmocka-dev:cmocka,-for-the-unit-tests \
  $(PACKAGES_POSTGRESQL) \
  python3-psycopg2:a-client-of-PostgreSQL-for-the-black-box-tests \
  spin:checks-the-models-of-tests/spec \
  wrk:load-for-the-benchmark \
  python3-pytest:runs-the-black-box-tests \
  python3-websockets:a-real-WebSocket-client-for-them \
  python3-requests:a-real-HTTP-client-for-them \
  python3-jwt:makes-and-reads-tokens-as-others-do \
  python3-cryptography:makes-keys \
  openssl:makes-keys-as-an-operator-does \
  e2fsprogs:makes-a-file-system-for-them \
  mount:mounts-it \
  python3-jsonschema:checks-answers-against-openapi.json \
  redis-server:Redis,-alone,-as-Sentinel-and-as-Cluster,-for-tests/redis \
  chromium:a-real-browser-for-them
PACKAGES_CLUSTER := patroni:agrees-who-is-primary python3-etcd:by-which-it-asks-etcd etcd-server:holds-what-they-agreed
PACKAGES_BROWSER := \
  fonts-noto-color-emoji:emoji-in-the-screenshots \
  fonts-noto-cjk:Chinese-in-the-screenshots \
  $(if $(shell command -v npm),,nodejs:runs-the-tests-of-the-page npm:installs-what-drives-the-browser)
PACKAGES_LINT := clang-format:formatting clang-tidy:analysis cppcheck:analysis mandoc:checks-the-man-pages \
  codespell:finds-misspelt-words git:lists-the-files-to-check \
  $(if $(shell command -v npm),,nodejs:runs-the-linter-of-openapi.json npm:installs-it)
PACKAGES_FUZZ := clang:libFuzzer libclang-rt-14-dev:its-runtime
PACKAGES_COMPILERS = $(COMPILERS:%=%:another-compiler)

# Installs packages without starting nginx or PostgreSQL on the host: while apt runs, a policy-rc.d
# forbids it, unless the host has its own, and a setting forbids to create a database cluster.
define install_packages
@missing=; for p in $(1); do \
  n=$${p%%:*}; dpkg-query -W -f='$${Status}' $$n 2>/dev/null | grep -q 'ok installed' && continue; \
  echo "installing $$n ($$(echo $${p#*:} | tr - ' '))"; missing="$$missing $$n"; done; \
[ -z "$$missing" ] && exit 0; \
sudo=; [ $$(id -u) = 0 ] || sudo=sudo; policy=/usr/sbin/policy-rc.d; \
made=; trap '$$sudo rm -f $$made' EXIT; \
case "$$missing " in *' postgresql '*) \
  made=/etc/postgresql-common/createcluster.d/imd.conf; $$sudo mkdir -p $${made%/*}; \
  echo 'create_main_cluster = false' | $$sudo tee $$made >/dev/null ;; esac; \
if [ ! -e $$policy ]; then \
  made="$$made $$policy"; \
  printf '#!/bin/sh\nexit 101\n' | $$sudo tee $$policy >/dev/null; $$sudo chmod 755 $$policy; fi; \
$$sudo apt-get update -qq && \
$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null
endef

.PHONY: deps-run deps-cluster deps-browser deps-lint deps-fuzz deps-compilers
deps-run:
	$(call install_packages,$(PACKAGES_RUN))
deps: deps-run
	$(call install_packages,$(PACKAGES_TEST))
deps-lint: deps
	$(call install_packages,$(PACKAGES_LINT))
deps-cluster: deps
	$(call install_packages,$(PACKAGES_CLUSTER))
deps-browser: deps
	$(call install_packages,$(PACKAGES_BROWSER))
deps-fuzz: deps
	$(call install_packages,$(PACKAGES_FUZZ))
deps-compilers: deps
	$(call install_packages,$(PACKAGES_COMPILERS))

# --- installing: two programs, their man pages, the files to include, the page. No file of the host
# is edited.

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/imd/nginx $(DESTDIR)$(PREFIX)/share/imd/html
	install -m 755 $(BUILD)/imd $(DESTDIR)$(PREFIX)/bin/imd
	install -m 755 $(BUILD)/imctl $(DESTDIR)$(PREFIX)/bin/imctl
	for f in $(MAN_PAGES); do \
	  install -D -m 644 $$f $(DESTDIR)$(PREFIX)/share/man/man$${f##*.}/$${f##*/} || exit 1; done
	install -m 644 nginx/html/* $(DESTDIR)$(PREFIX)/share/imd/html
	for f in nginx/imd-*.conf; do \
	  sed -e 's|/run/imd/|$(RUNDIR)/|; s|/usr/local/share/imd/|$(PREFIX)/share/imd/|' $$f \
	    > $(DESTDIR)$(PREFIX)/share/imd/$$f || exit 1; done
	@echo
	@echo "To use it, include in your nginx:"
	@echo "  http   { include $(PREFIX)/share/imd/nginx/imd-http.conf; }"
	@echo "  server { include $(PREFIX)/share/imd/nginx/imd-server.conf; }"

clean:
	rm -rf build

# Each of .PHONY is here: tests/lint/targets.py compares them.
help:
	@echo 'make all            build/imd and build/imctl, the default. It installs no package.'
	@echo 'make run            serves on http://127.0.0.1:$$PORT/ ($(PORT)). Its files are in $$STATE ($(STATE)).'
	@echo '                    SITE=DIRECTORY serves your pages beside it. REDIS=redis://HOST:PORT pushes through Redis.'
	@echo '                    STORE=postgresql starts a PostgreSQL in STATE, and imd keeps its data there.'
	@echo 'make cluster        a cluster on this machine: two hosts, PostgreSQL with a standby, Redis. Its files are in'
	@echo '                    $$STATE ($(CLUSTER)). It begins with an empty database.'
	@echo 'make install        to $$DESTDIR$$PREFIX ($(PREFIX)). It prints the two lines to include.'
	@echo 'make clean          removes build/'
	@echo 'make help           this list'
	@echo
	@echo 'make test           the unit tests, and the black-box tests against real nginx, nchan and SQLite'
	@echo '                    STORE=postgresql: the black-box tests against PostgreSQL'
	@echo 'make compiled       compiles all that the tests need'
	@echo 'make unit           the unit tests'
	@echo 'make unit-postgresql  those that take minutes on PostgreSQL'
	@echo 'make blackbox       the black-box tests of $$TESTS: directories or files, by default all. blackbox-parallel and'
	@echo '                    blackbox-timed run those that do not measure time, and those that do.'
	@echo 'make test-redis     pushes through Redis, with failovers and a Redis that hangs'
	@echo 'make test-cluster   kills each part of a cluster in turn, while posts go through both hosts'
	@echo 'make test-browser   the browser client against a server that loses frames and reorders them, and the page in'
	@echo '                    Chromium. BROWSER_TESTS=FILE runs one file.'
	@echo 'make asan           the tests under AddressSanitizer and UBSan, and those of threads under ThreadSanitizer'
	@echo 'make lint           formatting, style, spelling, includes, links, hardening, man pages, two analysers, openapi.json'
	@echo 'make compilers      no warning by any of $$COMPILERS: gcc 12 to 14 and clang 14 to 19, as far as Debian has them'
	@echo 'make check          lint, test, test-browser and asan'
	@echo 'make fuzz           libFuzzer on the functions that read untrusted bytes, for $$SECONDS ($(SECONDS)) each'
	@echo 'make storm          $$REQUESTS ($(REQUESTS)) malformed requests, which must change nothing'
	@echo 'make soak           clients that lose frames, for $$MINUTES ($(MINUTES)). SEED=N repeats a run.'
	@echo
	@echo 'make bench          speed, as ratios to a FastCGI server that does nothing. It writes build/bench.json.'
	@echo 'make isolation      how much the most expensive caller slows others down'
	@echo 'make format         wraps comments and formats the C files and those of the page'
	@echo 'make picture        renders the picture in README.md again'
	@echo
	@echo 'make deps           installs the Debian packages that make test needs. The targets above call what they need of'
	@echo '                    deps-run, deps, deps-cluster, deps-browser, deps-lint, deps-fuzz and deps-compilers.'
	@echo
	@echo 'SANITIZE=address,undefined or SANITIZE=thread makes a sanitized build of any of these.'
	@echo 'WERROR=-Werror makes warnings errors. JOBS=N runs N tests at a time.'
