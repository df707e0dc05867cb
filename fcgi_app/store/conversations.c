/* conversations.c - see conversations.h. */
#include "store/conversations.h"

enum err
conversations_get(struct db *db, int64_t id, struct conversation *c, bool *found)
{
    struct stmt *s = db_use(db, SQL_CONVERSATION_GET);
    enum err err;

    db_bind_int(s, 1, id);
    err = db_step(s, found);
    if (*found)
        *c = (struct conversation){
            .id = id,
            .type = db_int(s, 0) != 0 ? TYPE_GROUP : TYPE_PRIVATE,
            .created_at = db_int(s, 1),
            .updated_at = db_int(s, 2),
            .last_seq = db_int(s, 3),
            .version = db_int(s, 4),
        };
    db_done(s);
    return err;
}

enum err
conversations_for_sender(struct db *db, int64_t id, struct str sender, struct conversation *c, bool *found,
                         bool *is_member)
{
    struct stmt *s = db_use(db, SQL_CONVERSATION_FOR_SENDER);
    enum err err;

    db_bind_int(s, 1, id);
    db_bind_text(s, 2, sender);
    err = db_step(s, found);
    if (*found) {
        *c = (struct conversation){.id = id, .last_seq = db_int(s, 0), .version = db_int(s, 1)};
        *is_member = db_int(s, 2) != 0;
    }
    db_done(s);
    return err;
}

enum err
conversations_by_pair(struct db *db, struct str low, struct str high, int64_t *id, bool *found)
{
    struct stmt *s = db_use(db, SQL_CONVERSATION_BY_PAIR);
    enum err err;

    db_bind_text(s, 1, low);
    db_bind_text(s, 2, high);
    err = db_step(s, found);
    if (*found)
        *id = db_int(s, 0);
    db_done(s);
    return err;
}

enum err
conversations_add(struct tx *tx, enum conversation_type type, struct str low, struct str high,
                  struct conversation *c)
{
    struct stmt *s = db_use(tx->db, SQL_CONVERSATION_ADD);
    bool row;
    enum err err;

    db_bind_text(s, 1, str_c(conversation_type_names[type]));
    db_bind_text(s, 2, low);
    db_bind_text(s, 3, high);
    db_bind_int(s, 4, tx->tick);
    err = db_step(s, &row);
    if (err == ERR_OK && row)
        *c = (struct conversation){
            .id = db_int(s, 0),
            .type = type,
            .created_at = tx->tick,
            .updated_at = tx->tick,
            .version = 1,
        };
    /* The row is handed out before the statement has ended. */
    return err == ERR_OK ? db_run(s) : (db_done(s), err);
}

enum err
conversations_bump(struct tx *tx, struct conversation *c, int messages)
{
    struct stmt *s = db_use(tx->db, SQL_CONVERSATION_BUMP);

    c->last_seq += messages;
    c->version += 1;
    c->updated_at = tx->tick;
    db_bind_int(s, 1, c->id);
    db_bind_int(s, 2, c->last_seq);
    db_bind_int(s, 3, c->version);
    db_bind_int(s, 4, c->updated_at);
    return db_run(s);
}
