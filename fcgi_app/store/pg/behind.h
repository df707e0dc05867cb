/*
 * behind.h - holds back what most commands write, and sends it for many commands at once.
 *
 * New messages, changes of the outbox, counts of conversations and read markers are held back until
 * another statement is sent, at the latest the commit. Then each of the four takes one statement,
 * whatever the number of rows. This needs entries in ahead.h for the rows that they refer to.
 * Without them the functions return false, and the caller sends a separate statement.
 */
#ifndef IMD_STORE_PG_BEHIND_H
#define IMD_STORE_PG_BEHIND_H

#include "store/pg/ahead.h"

struct pg_behind;

/* Makes an empty one. ERR_MEMORY. */
enum err pg_behind_new(struct pg_behind **out);
/* NULL is allowed. */
void pg_behind_free(struct pg_behind *b);
/* Discards all rows that are held back. */
void pg_behind_reset(struct db *db);

/* Each holds back what the function of store/ writes. False: send a statement instead. */
bool pg_behind_bump(struct tx *tx, const struct conversation *c);
bool pg_behind_mark(struct tx *tx, int32_t conversation, struct str username, int64_t seq);
bool pg_behind_message(struct tx *tx, const struct message *m, int64_t version);
/* `what` has its id, conversation, version and tick. */
bool pg_behind_change(struct tx *tx, const struct change *what);

#endif
