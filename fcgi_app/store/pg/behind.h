/*
 * behind.h - what most commands write, held back and sent for many commands at once.
 *
 * New messages, changes of the outbox, counts of conversations and read markers are held back until
 * another statement is sent, at the latest the one that commits. Then each of the four takes one
 * statement, however many rows there are. That is possible only if ahead.h knows the rows that they
 * refer to; else the functions return false, and the caller sends a statement of its own.
 */
#ifndef IMD_STORE_PG_BEHIND_H
#define IMD_STORE_PG_BEHIND_H

#include "store/pg/ahead.h"

struct pg_behind;

/* Makes one that holds nothing back. ERR_MEMORY. */
enum err pg_behind_new(struct pg_behind **out);
/* NULL is allowed. */
void pg_behind_free(struct pg_behind *b);
/* Drops what is held back. */
void pg_behind_reset(struct db *db);

/* Each holds back what the function of store/ writes. False: it must be sent. */
bool pg_behind_bump(struct tx *tx, const struct conversation *c);
bool pg_behind_mark(struct tx *tx, int32_t conversation, struct str username, int64_t seq);
bool pg_behind_message(struct tx *tx, const struct message *m, int64_t version);
/* `what` has its id, conversation, version and tick. */
bool pg_behind_change(struct tx *tx, const struct change *what);

#endif
