/* messages.h - messages, as the rest of this engine reads them. */
#ifndef IMD_STORE_PG_MESSAGES_H
#define IMD_STORE_PG_MESSAGES_H

#include "store/messages.h"
#include "store/pg/db.h"

/*
 * Fills *m, except its reactions, from the current row, where the columns of the macro MESSAGE of
 * sql.c begin at `column`. Its strings are from the arena. ERR_MEMORY.
 */
enum err pg_messages_row(struct pg_stmt *s, int column, struct arena *arena, struct message *m);

#endif
