/*
 * support.h - what the unit tests share: a real store in a directory of its own, and reproducible chance.
 *
 * Whatever fails here fails the test that called.
 */
#ifndef IMD_TESTS_UNIT_SUPPORT_H
#define IMD_TESTS_UNIT_SUPPORT_H

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/shared.h"
#include "store/store.h"

/* A migrated database in a new directory, and imd's store on it. */
struct place {
    char dir[64];
    char path[96]; /* of the database */
    struct shared *shared;
    struct store store;
    struct arena arena;
};

/* For cmocka: group setup, to be given to every group. Only errors are logged; the group has 120 seconds. */
int support_group(void **state);
/* For cmocka: test setup and teardown; *state is a struct place with an open store of 4 readers. */
int support_open(void **state);
int support_close(void **state);

/* The same without a store and without a database file: a directory and a shared page. */
int support_open_empty(void **state);
/* Applies the migrations, making the file where there is none. */
void support_migrate(const struct place *place);

/* Looks into the database by a connection of its own: the first column of the first row. */
int64_t support_ask(const struct place *place, const char *sql);
/* Changes it by a connection of its own. Foreign keys are not checked. */
void support_tell(const struct place *place, const char *sql);

/* Runs body(arg, n) for n = 0 … count-1 at once and waits for all. A body must not assert. */
void support_threads(int count, void (*body)(void *arg, int n), void *arg);

/* Chance that env SEED repeats. */
struct chance {
    uint64_t state;
};

/* Takes env SEED, or another one each time, and prints it. */
void support_chance(struct chance *chance);
/* The same for tests that use rand(). */
void support_srand(void);
/* 0 … below - 1. */
int64_t support_draw(struct chance *chance, int64_t below);

#endif
