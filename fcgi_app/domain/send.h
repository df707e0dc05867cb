/* send.h - the command: send a message. */
#ifndef IMD_DOMAIN_SEND_H
#define IMD_DOMAIN_SEND_H

#include "base/model.h"
#include "store/store.h"

/*
 * Stores m->content from m->sender in m->conversation and fills the rest of *m. Durable on return.
 * Checked in this order: ERR_CONVERSATION (no such), ERR_USERNAME (bad or unknown), ERR_SENDER_NOT_MEMBER.
 * Opens a transaction.
 */
enum err send_message(struct store *store, struct message *m);

#endif
