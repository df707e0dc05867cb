/* messages.h - messages, as the rest of this engine reads them. */
#ifndef IMD_STORE_PG_MESSAGES_H
#define IMD_STORE_PG_MESSAGES_H

#include "store/messages.h"
#include "store/pg/db.h"

/*
 * Fills *m, without its reactions, from the row at hand, whose columns from `column` on are those
 * of the macro MESSAGE of sql.c. Its strings are from the arena. ERR_MEMORY.
 */
enum err pg_messages_row(struct pg_stmt *s, int column, struct arena *arena, struct message *m);

#endif
