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
PREFIX  ?= /usr/local
RUNDIR  ?= /run/imd

# SANITIZE=address,undefined (or thread) makes a sanitized build beside the normal one.
SANITIZE ?=

comma    := ,
BUILD    := build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))
CC       ?= cc
PYTHON   := /usr/bin/python3

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wnull-dereference -Wdouble-promotion
HARDEN   := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
CFLAGS   ?= -O2 -g
IMD_CFLAGS  := -std=c11 -D_GNU_SOURCE -DIMD_VERSION='"$(VERSION)"' -Ifcgi_app $(WARNINGS) $(HARDEN) -pthread \
               $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
IMD_LDFLAGS := -pthread -pie -Wl,-z,relro,-z,now $(if $(SANITIZE),-fsanitize=$(SANITIZE))
LIBS     := -lfcgi -lsqlite3 -ljansson

SOURCES    := $(sort $(wildcard fcgi_app/*.c fcgi_app/*/*.c))
OBJECTS    := $(SOURCES:fcgi_app/%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/migrations.o
LIBOBJECTS := $(filter-out $(BUILD)/obj/main.o,$(OBJECTS))
MIGRATIONS := $(sort $(wildcard schema/*.sql))
UNIT       := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard tests/unit/*.c)))

.PHONY: all run test check lint asan bench fuzz format install clean help deps unit blackbox

all: $(BUILD)/imd

$(BUILD)/imd: $(OBJECTS)
	@echo LD $@
	@$(CC) $(IMD_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/obj/%.o: fcgi_app/%.c Makefile
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(IMD_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The scripts of schema/, as C strings.
$(BUILD)/migrations.c: $(MIGRATIONS) Makefile
	@mkdir -p $(@D)
	@{ echo '#include "store/migrate.h"'; echo 'const struct migration migrations[] = {'; \
	  for f in $(MIGRATIONS); do \
	    echo "{\"$$(basename $$f)\","; sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $$f; echo '},'; \
	  done; echo '};'; echo 'const int migration_count = $(words $(MIGRATIONS));'; } > $@

$(BUILD)/obj/migrations.o: $(BUILD)/migrations.c
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(IMD_CFLAGS) $(CFLAGS) -c -o $@ $<

-include $(OBJECTS:.o=.d)

clean:
	rm -rf build
