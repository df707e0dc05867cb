/* conversations.h - conversations, as the rest of this engine reads them. */
#ifndef IMD_STORE_PG_CONVERSATIONS_H
#define IMD_STORE_PG_CONVERSATIONS_H

#include "store/conversations.h"
#include "store/pg/db.h"

/*
 * Fills *c, except its members, from the current row, where the columns of the macro CONVERSATION
 * of sql.c begin at `column`. The title is from the arena. ERR_MEMORY.
 */
enum err pg_conversations_row(struct pg_stmt *s, int column, struct arena *arena, int32_t id,
                              struct conversation *c);

#endif
