/* listings.c - see listings.h. Must not know which engine it calls. */
#include "store/listings.h"

#include "store/engine.h"

enum err
listings_standing(struct db *db, struct arena *arena, struct str username, struct listing_row *rows,
                  size_t count)
{
    return db->engine->listings_standing(db, arena, username, rows, count);
}

enum err
listings_names(struct db *db, struct arena *arena, struct listing_row *rows, size_t count)
{
    return db->engine->listings_names(db, arena, rows, count);
}

enum err
listings_unread(struct db *db, struct str username, struct listing_row *rows, size_t count)
{
    return db->engine->listings_unread(db, username, rows, count);
}
