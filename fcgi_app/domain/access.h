/*
 * access.h - finds the object of a request, once, and checks that the reader is a present member.
 *
 * The gate finds the object in a snapshot, and the handler reads in the same snapshot. So former
 * members cannot read messages sent after they left, and a handler cannot read a conversation that
 * the gate has not found.
 */
#ifndef IMD_DOMAIN_ACCESS_H
#define IMD_DOMAIN_ACCESS_H

#include <stddef.h>
#include "base/arena.h"
#include "model/model.h"
#include "store/store.h"

/* The reader and the snapshot that they read in. */
struct access {
    const struct snapshot *snapshot;
    struct arena *arena; /* for what is found */
    struct str reader;   /* absent: they may read everything */
};

/*
 * Finds the conversation, without its members, in the arena. *found NULL: there is no such
 * conversation. ERR_NOT_A_MEMBER.
 */
enum err access_conversation(const struct access *a, int32_t id, const struct conversation **found);
/* Finds the message's position, and its conversation. ERR_MESSAGE_UNKNOWN, ERR_NOT_A_MEMBER. */
enum err access_message(const struct access *a, int64_t id, const struct message_key **message,
                        const struct conversation **conversation);

/* Conversations in id order, each once. */
struct access_list {
    struct conversation *found;
    size_t count;
};

/*
 * Finds the conversations of ids[0 … count-1] that exist and have the reader as a member.
 * ERR_NOT_A_MEMBER if every requested conversation exists and was refused. Sorts `ids`.
 */
enum err access_conversations(const struct access *a, int32_t *ids, size_t count, struct access_list *list);

#endif
