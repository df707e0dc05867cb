/*
 * support.h - shared by the unit tests: a real store in a directory of its own, and reproducible
 * random numbers.
 *
 * The environment variable IMD_ENGINE chooses the engine of the store: sqlite, which is the
 * default, or memory. A test that calls a function of an engine runs on that engine only; it
 * chooses the engine by support_choose() if that is not SQLite.
 *
 * A failure in these functions fails the test that called them.
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
#include "model/model.h"
#include "run/shared.h"
#include "store/instance.h"
#include "store/messages.h"
#include "store/store.h"

/* A migrated database in a new directory, and imd's store on it. */
struct place {
    char dir[64];
    char path[96]; /* of the database, if it is a file */
    char uri[256]; /* of the store */
    struct shared *shared;
    struct store store;
    struct arena arena;
    bool refuses_late; /* a command of the test is refused after it has written, on purpose */
    bool undeclared;   /* a command of the test reads what it did not declare, on purpose */
};

/* For cmocka: the setup of every group. Only errors are logged; the group has 120 seconds. */
int support_group(void **state);
/*
 * For cmocka: setup and teardown of a test; *state is a struct place with an open store of 4
 * readers.
 */
int support_open(void **state);
int support_close(void **state);
/* The same teardown, after support_check(). */
int support_check_and_close(void **state);

/* The same without a store and without a database file: a directory and a shared page. */
int support_open_empty(void **state);
/* Asserts every invariant of the engine on the content of the place's store. */
void support_check(const struct place *place);

/* Chooses the engine of the stores to come by its name, instead of the environment. */
void support_choose(const char *engine);

/* The functions that an engine provides for support.c. */
struct support_engine {
    const char *name;
    /* Called once for each group. */
    void (*setup)(void);
    /* Prepares what must exist before a store is opened. */
    void (*make)(struct place *place);
    /* support_check() and support_undeclared(). */
    void (*check)(const struct place *place);
    const char *(*undeclared)(const struct place *place);
};

extern const struct support_engine support_sqlite;
extern const struct support_engine support_memory;
#ifdef IMD_POSTGRESQL
extern const struct support_engine support_postgresql;
#endif

/* --- only SQLite: a test that uses one of these does not run in memory */

/* Applies the migrations; creates the file if it does not exist. */
void support_migrate(const struct place *place);
/* Runs the query on a connection of its own; returns the first column of the first row. */
int64_t support_ask(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Runs the statement on a connection of its own. Foreign keys are not checked. */
void support_tell(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Returns the first column of the first row as text, from the arena. */
const char *support_text(struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));
/*
 * Returns the number of rows, and in *values all of them, from the arena: `columns` integers for
 * each row.
 */
size_t support_rows(struct place *place, int columns, int64_t **values, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Returns valid(bytes) for a copy on the heap, so that a sanitizer detects a read beyond its end.
 */
bool support_accepts(bool (*valid)(struct str text), const char *bytes, size_t n);

/* --- any engine: the content of the store, each read in a snapshot of its own */

struct instance support_instance(struct place *place);
/* The tick of the last transaction, UNIX ms. */
int64_t support_tick(struct place *place);
/* Waits until the clock has advanced by at least `ms`. */
void support_pass_time(struct place *place, int64_t ms);
bool support_has_account(struct place *place, const char *name);
/* Returns the conversation, which must exist, without members. Its title is from the arena. */
struct conversation support_conversation(struct place *place, int64_t id);
/* Ids are 1, 2, 3 … */
int64_t support_count_conversations(struct place *place);
/* Returns the number of changes in the outbox, and in order all of them, from the arena. */
size_t support_changes(struct place *place, struct change **changes);
/*
 * Returns everything that a command could change, as text from the arena: equal texts mean that
 * nothing has changed.
 */
const char *support_describe(struct place *place);

/* --- any engine */

/*
 * Returns the first read that a command did not declare; "": there was none, or the engine does not
 * check. Lives as long as the store.
 */
const char *support_undeclared(const struct place *place);

/* Runs a command of a test, which may read anything. */
enum err support_run(struct store *store, command_fn *run, void *arg);

/*
 * Commands that must succeed. Names are one text, separated by blanks; results are from the arena.
 */
int64_t support_create(struct place *place, enum conversation_type type, const char *names);
struct message support_send(struct place *place, int64_t conversation, const char *sender,
                            const char *content);
enum err support_try_join(struct place *place, int64_t conversation, const char *username);
enum err support_try_leave(struct place *place, int64_t conversation, const char *username);
void support_join(struct place *place, int64_t conversation, const char *username);
void support_leave(struct place *place, int64_t conversation, const char *username);
/* Begins a snapshot. The caller must call snapshot_end(). */
struct snapshot *support_begin(struct place *place);
/*
 * Returns the conversation, which must exist, as the gate finds it in the snapshot for a reader who
 * may read everything.
 */
const struct conversation *support_find(struct place *place, const struct snapshot *snapshot, int64_t id);
/*
 * Returns the message as a reader who may read everything sees it, in a snapshot of its own.
 * ERR_MESSAGE_UNKNOWN.
 */
enum err support_message(struct place *place, int64_t id, struct message *m);
/* `count` names, "m000" and so on, in order; from the arena. */
const char *support_crowd(struct place *place, int count);

/* Runs body(arg, n) for n = 0 … count-1 at once and waits for all. A body must not assert. */
void support_threads(int count, void (*body)(void *arg, int n), void *arg);

/* A generator of random numbers, repeatable by the variable SEED. */
struct chance {
    uint64_t state;
};

/* Starts it from SEED, or from another number each time, and prints it. */
void support_chance(struct chance *chance);
/* Does the same for tests that use rand(). */
void support_srand(void);
/* Returns 0 … below - 1. */
int64_t support_draw(struct chance *chance, int64_t below);

/*
 * Calls back with each message of the conversation from `seq` on, in order, until `each` says
 * false.
 */
void support_each_message(const struct message_reader *reader, int32_t conversation, int64_t seq,
                          bool (*each)(void *arg, const struct message *m), void *arg);

#endif
