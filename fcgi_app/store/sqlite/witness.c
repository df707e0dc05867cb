/* witness.c - see witness.h. Must not know what an epoch means to clients. */
#include "store/sqlite/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/log.h"
#include "store/sqlite/engine.h"
#include "store/sqlite/instance.h"
#include "store/sqlite/outbox.h"

/* What identifies a state of a database. */
struct identity {
    char epoch[EPOCH_BYTES];
    int64_t tick;
    int64_t inode;
    int64_t birth_ns; /* UNIX ns; 0: the file system does not tell, or the witness has none */
};

static enum err
identify(struct db *db, const char *path, struct identity *now)
{
    struct instance instance;
    struct statx st;
    enum err err = sqlite_instance_get(db, &instance);

    if (err == ERR_OK && statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &st) != 0)
        err = ERR_STORAGE;
    if (err != ERR_OK)
        return err;
    memcpy(now->epoch, instance.epoch, sizeof(now->epoch));
    now->tick = instance.tick;
    now->inode = (int64_t)st.stx_ino;
    now->birth_ns = (st.stx_mask & STATX_BTIME) == 0
                        ? 0
                        : (int64_t)st.stx_btime.tv_sec * 1000000000 + (int64_t)st.stx_btime.tv_nsec;
    return ERR_OK;
}

/*
 * Parses "EPOCH TICK inode=INODE birth=BIRTH_NS". Version 0.1 wrote "EPOCH TICK DEVICE INODE". Of
 * that, the device is ignored, and the birth is unknown.
 */
static bool
parse_witness(char *text, struct identity *then)
{
    char *rest = NULL;
    const char *epoch = strtok_r(text, " \n", &rest);
    const char *tick = strtok_r(NULL, " \n", &rest);
    const char *third = strtok_r(NULL, " \n", &rest);
    const char *fourth = strtok_r(NULL, " \n", &rest);
    static const char inode[] = "inode=";
    static const char birth[] = "birth=";

    if (fourth == NULL || strlen(epoch) >= sizeof(then->epoch) || !str_to_int(str_c(tick), &then->tick))
        return false;
    memcpy(then->epoch, epoch, strlen(epoch) + 1);
    then->birth_ns = 0;
    if (strncmp(third, inode, sizeof(inode) - 1) != 0)
        return str_to_int(str_c(fourth), &then->inode);
    return str_to_int(str_c(third + sizeof(inode) - 1), &then->inode) &&
           strncmp(fourth, birth, sizeof(birth) - 1) == 0 &&
           str_to_int(str_c(fourth + sizeof(birth) - 1), &then->birth_ns);
}

/* Returns false if there is no witness, or it cannot be read. */
static bool
read_witness(const char *path, struct identity *then)
{
    char name[PATH_MAX];
    char text[256] = "";
    FILE *f;
    bool read;

    snprintf(name, sizeof(name), "%s-witness", path);
    f = fopen(name, "re");
    if (f == NULL)
        return false;
    read = fgets(text, sizeof(text), f) != NULL;
    fclose(f);
    return read && parse_witness(text, then);
}

/*
 * Replaces the witness as a whole. Does not force it to the disk: if it is lost, the only harm is a
 * new epoch.
 */
static bool
write_witness(const char *path, const struct identity *now)
{
    char name[PATH_MAX];
    char partial[PATH_MAX];
    FILE *f;
    bool ok;

    snprintf(name, sizeof(name), "%s-witness", path);
    snprintf(partial, sizeof(partial), "%s-witness.new", path);
    f = fopen(partial, "we");
    if (f == NULL)
        return false;
    ok = fprintf(f, "%s %" PRId64 " inode=%" PRId64 " birth=%" PRId64 "\n", now->epoch, now->tick, now->inode,
                 now->birth_ns) > 0;
    ok = fclose(f) == 0 && ok;
    return ok && rename(partial, name) == 0;
}

/* Returns why the database needs a new epoch; NULL if it needs none. */
static const char *
suspicion(const char *path, const struct identity *now, bool expected)
{
    struct identity then;

    if (!read_witness(path, &then))
        return expected ? NULL : "no_witness";
    if (now->inode != then.inode ||
        (now->birth_ns != then.birth_ns && now->birth_ns != 0 && then.birth_ns != 0))
        return "another_file";
    if (strcmp(now->epoch, then.epoch) != 0)
        return "another_epoch";
    return now->tick < then.tick ? "gone_back_in_time" : NULL;
}

static enum err
set_epoch(struct db *db, struct identity *now)
{
    enum err err = db_do(db, SQL_BEGIN_WRITE);

    if (err == ERR_OK)
        err = instance_renew_epoch(db, now->epoch);
    if (err == ERR_OK)
        err = outbox_trim(db, INT64_MAX);
    return db_end_write(db, err);
}

static bool
note(const char *path, const struct identity *now)
{
    if (write_witness(path, now))
        return true;
    log_event(LOG_WARNING, "witness_failed", "database=%s reason=\"%s\"", path, strerror(errno));
    return false;
}

enum err
witness_check(struct db *db, const char *path, bool expected)
{
    struct identity now;
    const char *why;
    enum err err = identify(db, path, &now);

    if (err != ERR_OK)
        return err;
    why = suspicion(path, &now, expected);
    if (why != NULL) {
        err = set_epoch(db, &now);
        log_event(LOG_WARNING, "new_epoch", "reason=%s epoch=%s", why, now.epoch);
    }
    if (err == ERR_OK)
        note(path, &now);
    return err;
}

void
witness_note(struct db *db, const char *path, int64_t *noted_tick)
{
    struct identity now;

    if (identify(db, path, &now) != ERR_OK || now.tick == *noted_tick)
        return;
    if (note(path, &now))
        *noted_tick = now.tick;
}
