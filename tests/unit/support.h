/*
 * support.h - what the unit tests share: a real store in a directory of its own, and reproducible
 * chance.
 *
 * The environment variable IMD_ENGINE chooses the engine of the store: sqlite, which is the
 * default, or memory. A test that calls a function of an engine runs on that engine alone; it
 * chooses the engine by support_choose() if that is not SQLite.
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
#include "model/model.h"
#include "run/shared.h"
#include "store/instance.h"
#include "store/messages.h"
#include "store/store.h"

/* A migrated database in a new directory, and imd's store on it. */
struct place {
    char dir[64];
    char path[96]; /* of the database, if it is a file */
    char uri[112]; /* of the store */
    struct shared *shared;
    struct store store;
    struct arena arena;
    bool refuses_late; /* a command of the test is refused after it has written, on purpose */
    bool undeclared;   /* a command of the test reads what it did not declare, on purpose */
};

/*
 * For cmocka: group setup, to be given to every group. Only errors are logged; the group has 120
 * seconds.
 */
int support_group(void **state);
/* For cmocka: test setup and teardown; *state is a struct place with an open store of 4 readers. */
int support_open(void **state);
int support_close(void **state);
/* The same teardown, after support_check(). */
int support_check_and_close(void **state);

/* The same without a store and without a database file: a directory and a shared page. */
int support_open_empty(void **state);
/* What the store of the place holds has to keep every promise of the engine. */
void support_check(const struct place *place);

/* Chooses the engine of the stores to come by its name, instead of the environment. */
void support_choose(const char *engine);

/* What support.c asks of an engine. */
struct support_engine {
    const char *name;
    /* Called once for each group. */
    void (*setup)(void);
    /* Makes whatever must be there before a store is opened. */
    void (*make)(const struct place *place);
    /* support_check() and support_undeclared(). */
    void (*check)(const struct place *place);
    const char *(*undeclared)(const struct place *place);
};

extern const struct support_engine support_sqlite;
extern const struct support_engine support_memory;

/* --- SQLite alone: a test that uses one of these does not run in memory */

/* Applies the migrations, making the file where there is none. */
void support_migrate(const struct place *place);
/* Looks into the database by a connection of its own: the first column of the first row. */
int64_t support_ask(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Changes it by a connection of its own. Foreign keys are not checked. */
void support_tell(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same as text, from the arena. */
const char *support_text(struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));
/*
 * The same for many: all rows, `columns` integers each, one after the other in *values, from the
 * arena. Returns how many rows.
 */
size_t support_rows(struct place *place, int columns, int64_t **values, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* What `valid` says of these bytes, which lie on the heap: so a look beyond their end is seen. */
bool support_accepts(bool (*valid)(struct str text), const char *bytes, size_t n);

/* --- any engine: what the store holds, each read in a snapshot of its own */

struct instance support_instance(struct place *place);
/* The tick of the last transaction, UNIX ms. */
int64_t support_tick(struct place *place);
/* The clock goes on by at least `ms`. */
void support_pass_time(struct place *place, int64_t ms);
bool support_has_account(struct place *place, const char *name);
/* The conversation, which must exist; without members. Its title is from the arena. */
struct conversation support_conversation(struct place *place, int64_t id);
/* Ids are 1, 2, 3 … */
int64_t support_count_conversations(struct place *place);
/* All changes of the outbox in order, from the arena. Returns how many. */
size_t support_changes(struct place *place, struct change **changes);
/*
 * Everything that a command could change, as text from the arena: two are equal if nothing has
 * changed.
 */
const char *support_describe(struct place *place);

/* --- any engine */

/*
 * Says which read was the first that its command did not declare; "": none was, or the engine does
 * not look. Lives as long as the store.
 */
const char *support_undeclared(const struct place *place);

/* Runs a command of the test's own, which may read anything. */
enum err support_run(struct store *store, command_fn *run, void *arg);

/*
 * Commands that must succeed. Names stand in one text, parted by blanks; what comes back is from
 * the arena.
 */
int64_t support_create(struct place *place, enum conversation_type type, const char *names);
struct message support_send(struct place *place, int64_t conversation, const char *sender,
                            const char *content);
enum err support_try_join(struct place *place, int64_t conversation, const char *username);
enum err support_try_leave(struct place *place, int64_t conversation, const char *username);
void support_join(struct place *place, int64_t conversation, const char *username);
void support_leave(struct place *place, int64_t conversation, const char *username);
/* A snapshot; pool_end() is owed. */
struct snapshot *support_begin(struct place *place);
/*
 * The conversation of that id, which must exist, as the gate finds it in the snapshot for who may
 * read everything.
 */
const struct conversation *support_find(struct place *place, const struct snapshot *snapshot, int64_t id);
/* The message of that id in a snapshot of its own, as who may read everything is shown it.
 * ERR_MESSAGE_UNKNOWN. */
enum err support_message(struct place *place, int64_t id, struct message *m);
/* `count` names, "m000" and so on, in order; from the arena. */
const char *support_crowd(struct place *place, int count);

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

/*
 * Calls back with each message of the conversation from `seq` on, in order, until `each` says
 * false.
 */
void support_each_message(const struct message_reader *reader, int32_t conversation, int64_t seq,
                          bool (*each)(void *arg, const struct message *m), void *arg);

#endif
