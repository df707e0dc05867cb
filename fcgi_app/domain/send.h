/* send.h - the command: send a message. */
#ifndef IMD_DOMAIN_SEND_H
#define IMD_DOMAIN_SEND_H

#include "base/arena.h"
#include "model/model.h"
#include "store/store.h"

struct sending {
    struct arena *arena; /* in: for the message of a repeat */
    /* in: conversation, sender, content, and where they apply client_id and reply_to; out: all of it */
    struct message message;
    bool verified; /* in: the sender has proved who they are, named before or not */
    bool replayed; /* out: it was sent before under this client_id; the message is that one, as it is now */
};

/* 1 … CLIENT_ID_BYTES_MAX bytes of printable ASCII. */
bool send_client_id_valid(struct str client_id);

/*
 * Stores the message and fills the rest of it. Durable on return. A client_id that its sender has used before
 * sends nothing: the first message is given back, however much it and the sender's memberships have changed
 * since; former members get it as domain/visibility.h has it. Checked in this order: ERR_IDEMPOTENCY_MISMATCH
 * (the first one was another content or conversation), ERR_CONVERSATION (no such), ERR_USERNAME (bad or
 * unknown; who is verified is neither), ERR_SENDER_NOT_MEMBER, ERR_REPLY_TO (no message of this
 * conversation). Opens a transaction.
 */
enum err send_message(struct store *store, struct sending *sending);

#endif
