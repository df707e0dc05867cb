/*
 * ids.h - the ids of conversations and messages, and a message's seq in its conversation.
 *
 * A number in a request becomes an id here and nowhere else. SQL computes message.place from a
 * conversation and a seq (conversation * 2^32 + seq), so a number out of range would address a
 * message of another conversation. Three things keep such a number out:
 *
 * - Beyond this file, a conversation's id is an int32_t, and the compiler refuses to narrow a wider
 *   number (-Wconversion, in the Makefile). Every place of an int32_t fits 64 bits.
 * - A seq is 0 … SEQ_MAX when SQL computes with it. It is held in an int64_t, so that sums of seqs
 *   cannot wrap.
 * - No statement computes with a message's id.
 */
#ifndef IMD_MODEL_IDS_H
#define IMD_MODEL_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

/*
 * No conversation has this id: real ones are 1 … 2^31-1. It stands for every number that cannot be
 * an id.
 */
#define CONVERSATION_NONE 0
#define SEQ_MAX           ((int64_t)UINT32_MAX)

/* Returns the number as a conversation's id. CONVERSATION_NONE: it cannot be one. */
int32_t ids_conversation(int64_t number);
/* Returns the number clamped to 0 … SEQ_MAX. */
int64_t ids_seq(int64_t number);

/*
 * Reads an id of 1 … 2^63-1 from decimal digits, with no sign and no blank. False: the text is not
 * such a number, and *id is unchanged. A conversation's id beyond 2^31-1 is read as
 * CONVERSATION_NONE.
 */
bool ids_read_conversation(struct str text, int32_t *id);
bool ids_read_message(struct str text, int64_t *id);

#endif
