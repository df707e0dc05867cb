/* conversations.h - conversations, as the rest of this engine reads them. */
#ifndef IMD_STORE_SQLITE_CONVERSATIONS_H
#define IMD_STORE_SQLITE_CONVERSATIONS_H

#include "store/conversations.h"
#include "store/sqlite/db.h"

/*
 * Fills *c, except its members, from the current row, whose columns from `column` on are those of
 * the macro CONVERSATION of sql.c. The title is copied to the arena. ERR_MEMORY.
 */
enum err conversations_row(struct stmt *s, int column, struct arena *arena, int32_t id,
                           struct conversation *c);

#endif
