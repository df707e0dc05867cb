/* message.h - reads a message that the gate found, and the users who reacted to it. */
#ifndef IMD_DOMAIN_MESSAGE_H
#define IMD_DOMAIN_MESSAGE_H

#include "model/model.h"
#include "domain/visibility.h"
#include "store/reactions.h"

/*
 * Reads the message that the gate found in this snapshot, as the viewer sees it, into the view's
 * arena.
 */
enum err message_get(const struct view *view, const struct message_key *key, struct message *m);
/*
 * Reads a page of the users who reacted to it with page->emoji, in any spelling; out: the emoji as
 * it is shown.
 */
enum err message_reactors(const struct view *view, const struct message_key *key, struct reactors *page);

#endif
