/* size.c - see size.h. Must not know which engine it calls. */
#include "store/size.h"

#include "store/engine.h"

enum err
size_get(struct db *db, struct size *size)
{
    return db->engine->size_get(db, size);
}
