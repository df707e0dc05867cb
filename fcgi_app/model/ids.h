/*
 * ids.h - the numbers that name a conversation, a message, and a message's place in its conversation.
 *
 * A request's number becomes an id here and nowhere else. Statements compute message.place from a
 * conversation and a seq (conversation * 2^32 + seq), so a number that fits neither would name a message of
 * another conversation. Three things keep such a number out:
 *
 *   - A conversation's id is an int32_t in every function beyond this one, and the compiler refuses to
 *     narrow a wider number (-Wconversion, in the Makefile). Every place of an int32_t fits 64 bits.
 *   - A seq is 0 … SEQ_MAX when a statement computes with it. It is kept in an int64_t, so that sums of seqs
 *     cannot wrap.
 *   - No statement computes with a message's id.
 */
#ifndef IMD_MODEL_IDS_H
#define IMD_MODEL_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

/* Conversations are 1 … 2^31-1. This one is never there: it stands for every number that none can have. */
#define CONVERSATION_NONE 0
#define SEQ_MAX           ((int64_t)UINT32_MAX)

/* The conversation of that number; CONVERSATION_NONE: there cannot be one. */
int32_t ids_conversation(int64_t number);
/* The seq itself; 0 or SEQ_MAX for a number below or above all of them. */
int64_t ids_seq(int64_t number);

/*
 * From decimal digits alone, without sign or blank, 1 … 2^63-1. False: it is no such number, and the output
 * is untouched.
 */
bool ids_read_conversation(struct str text, int32_t *id);
bool ids_read_message(struct str text, int64_t *id);

#endif
