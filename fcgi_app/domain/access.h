/*
 * access.h - who may read what: present members.
 *
 * Each opens a transaction and, where reading is allowed, leaves its snapshot to the question that follows in
 * this thread, so that nobody reads what was said after they had to leave. access_end() is always to follow.
 * What does not exist may be read: the question that follows says so in its own way.
 */
#ifndef IMD_DOMAIN_ACCESS_H
#define IMD_DOMAIN_ACCESS_H

#include <stddef.h>
#include "base/arena.h"
#include "base/model.h"
#include "store/store.h"

/* ERR_NOT_A_MEMBER. */
enum err access_conversation(struct store *store, struct arena *arena, struct str username,
                             int64_t conversation);
/* The conversation of a message. ERR_NOT_A_MEMBER. */
enum err access_message(struct store *store, struct arena *arena, struct str username, int64_t message);
/*
 * Leaves out of ids[0 … *count-1] the conversations that the user is not a member of; ERR_NOT_A_MEMBER where
 * that leaves none and was not for nothing.
 */
enum err access_conversations(struct store *store, struct arena *arena, struct str username, int64_t *ids,
                              size_t *count);
/* The request is answered. */
void access_end(struct store *store);

#endif
