/* accounts.c - see accounts.h and store/accounts.h. */
#include "store/sqlite/accounts.h"

#include "store/sqlite/engine.h"

/* Returns the entry for the name among those that this transaction has looked up, or NULL. */
static const struct known_user *
find_known(const struct known_users *known, struct str name)
{
    for (int i = 0; i < DB_KNOWN_USERS; i++) {
        const struct known_user *u = &known->users[i];

        if (u->number != 0 && str_eq(name, (struct str){u->name, u->bytes}))
            return u;
    }
    return NULL;
}

/* Returns false, and changes nothing, if the name is too long for the entry. */
static bool
fill(struct known_user *u, struct str name, int64_t number)
{
    if (name.n > sizeof(u->name))
        return false;
    memcpy(u->name, name.p, name.n);
    u->bytes = name.n;
    u->number = number;
    return true;
}

/* Overwrites the oldest entry. */
static void
remember(struct known_users *known, struct str name, int64_t number)
{
    fill(&known->users[known->next++ % DB_KNOWN_USERS], name, number);
}

/* Reads the name into the entry. */
static enum err
read_name(struct db *db, int64_t number, struct known_name *known)
{
    struct stmt *s = db_use(db, SQL_ACCOUNT_NAME);
    bool row;
    enum err err;

    known->renames = 0;
    db_bind_int(s, 1, number);
    err = db_step(s, &row);
    if (err == ERR_OK && (!row || !fill(&known->user, db_text(s, 0), number)))
        err = ERR_STORAGE;
    db_done(s);
    if (err == ERR_OK)
        known->renames = db_renames(db);
    return err;
}

enum err
accounts_name(struct db *db, int64_t number, struct str *name)
{
    struct known_name *known = db_known_name(db, number);
    enum err err = ERR_OK;

    if (known->user.number != number || known->renames == 0 || known->renames != db_renames(db))
        err = read_name(db, number, known);
    *name = (struct str){known->user.name, known->user.bytes};
    return err;
}

enum err
accounts_number(struct db *db, struct str name, int64_t *number)
{
    struct known_users *known = db_known_users(db);
    const struct known_user *u = find_known(known, name);
    struct stmt *s;
    bool row;
    enum err err;

    if (u != NULL) {
        *number = u->number;
        return ERR_OK;
    }
    s = db_use(db, SQL_ACCOUNT_NUMBER);
    db_bind_text(s, 1, name);
    err = db_step(s, &row);
    *number = row ? db_int(s, 0) : 0;
    db_done(s);
    /* A name without a user is not kept: the user may be added later in this transaction. */
    if (row)
        remember(known, name, *number);
    return err;
}

void
accounts_bind(struct db *db, struct stmt *s, int parameter, struct str name)
{
    int64_t number = 0;
    enum err err = name.p == NULL ? ERR_OK : accounts_number(db, name, &number);

    if (err != ERR_OK)
        db_refuse(s, err);
    else if (name.p == NULL)
        db_bind_text(s, parameter, name);
    else
        db_bind_int(s, parameter, number);
}

enum err
sqlite_accounts_exists(struct db *db, struct str name, bool *exists)
{
    int64_t number = 0;
    enum err err = accounts_number(db, name, &number);

    *exists = number != 0;
    return err;
}

enum err
sqlite_accounts_add(struct tx *tx, struct str name)
{
    int64_t number = 0;
    struct stmt *s;
    enum err err = accounts_number(tx->db, name, &number);

    if (err != ERR_OK || number != 0)
        return err;
    s = db_use(tx->db, SQL_ACCOUNT_ADD);
    db_bind_text(s, 1, name);
    db_bind_int(s, 2, tx->tick);
    return db_run(s);
}
