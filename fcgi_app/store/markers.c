/* markers.c - see markers.h. Must not know which engine it calls. */
#include "store/markers.h"

#include "store/engine.h"

enum err
markers_get(struct db *db, int32_t conversation, struct str username, int64_t *seq)
{
    return db->engine->markers_get(db, conversation, username, seq);
}

enum err
markers_set(struct tx *tx, int32_t conversation, struct str username, int64_t seq)
{
    return tx->db->engine->markers_set(tx, conversation, username, seq);
}

enum err
markers_of_conversation(struct db *db, struct arena *arena, int32_t conversation,
                        struct read_marker **markers, size_t *count)
{
    return db->engine->markers_of_conversation(db, arena, conversation, markers, count);
}

enum err
markers_moved(struct db *db, struct arena *arena, struct moved_walk *walk)
{
    return db->engine->markers_moved(db, arena, walk);
}
