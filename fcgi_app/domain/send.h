/* send.h - the command: send a message. */
#ifndef IMD_DOMAIN_SEND_H
#define IMD_DOMAIN_SEND_H

#include "base/arena.h"
#include "model/model.h"
#include "store/store.h"

struct sending {
    struct arena *arena; /* in: for the message of a replay */
    /* in: conversation, sender, content, and client_id and reply_to if given; out: all of it */
    struct message message;
    bool verified; /* in: the sender is authenticated */
    bool replayed; /* out: it was sent before under this client_id; the message is in its present state */
};

/* True if it has 1 … CLIENT_ID_BYTES_MAX bytes of printable ASCII. */
bool send_client_id_valid(struct str client_id);

/*
 * Stores the message and fills the rest of it. It is durable on return. A client_id that its sender
 * used before sends nothing: the first message is returned in its present state, even if the sender
 * has left; then as domain/visibility.h describes. Checked in this order: ERR_IDEMPOTENCY_MISMATCH
 * (the first message had another content, conversation or reply_to), ERR_CONVERSATION (unknown),
 * ERR_USERNAME (invalid or unknown; verified senders are neither), ERR_SENDER_NOT_MEMBER,
 * ERR_REPLY_TO (no message of this conversation). Opens a transaction.
 */
enum err send_message(struct store *store, struct sending *sending);

#endif
