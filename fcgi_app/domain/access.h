/*
 * access.h - finds what a request is about, once, and checks who may read it: present members.
 *
 * What is found here, in a snapshot, is handed on to the question that follows with that snapshot. So nobody
 * reads what was said after they had to leave, and nothing is read of a conversation that was not found.
 */
#ifndef IMD_DOMAIN_ACCESS_H
#define IMD_DOMAIN_ACCESS_H

#include <stddef.h>
#include "base/arena.h"
#include "model/model.h"
#include "store/store.h"

/* Who reads, and as of when. */
struct access {
    const struct snapshot *snapshot;
    struct arena *arena; /* for what is found */
    struct str reader;   /* absent: may read everything */
};

/*
 * The conversation without its members; *found NULL: there is none of that id. ERR_NOT_A_MEMBER. Both: from
 * the arena.
 */
enum err access_conversation(const struct access *a, int32_t id, const struct conversation **found);
/* Where the message stands, and its conversation. ERR_MESSAGE_UNKNOWN, ERR_NOT_A_MEMBER. */
enum err access_message(const struct access *a, int64_t id, const struct message_key **message,
                        const struct conversation **conversation);

/* Conversations in id order, each once. */
struct access_list {
    struct conversation *found;
    size_t count;
};

/*
 * Those of ids[0 … count-1] that exist and that the reader is a member of. ERR_NOT_A_MEMBER if every one
 * asked for exists and was refused. Sorts `ids`.
 */
enum err access_conversations(const struct access *a, int32_t *ids, size_t count, struct access_list *list);

#endif
