/* send.c - see send.h. Must not know how a message came or where it goes. */
#include "domain/send.h"

#include "store/accounts.h"
#include "store/conversations.h"
#include "store/messages.h"
#include "store/outbox.h"

/* Why somebody who is no member may not send. */
static enum err
refusal(struct db *db, struct str sender)
{
    bool known;
    enum err err = accounts_exists(db, sender, &known);

    if (err != ERR_OK)
        return err;
    return known ? ERR_SENDER_NOT_MEMBER : ERR_USERNAME;
}

static enum err
send_in_tx(struct tx *tx, void *arg)
{
    struct message *m = arg;
    struct conversation c;
    bool found;
    bool is_member = false;
    enum err err = conversations_for_sender(tx->db, m->conversation, m->sender, &c, &found, &is_member);

    if (err != ERR_OK)
        return err;
    if (!found)
        return ERR_CONVERSATION;
    if (!is_member)
        return refusal(tx->db, m->sender);
    err = conversations_bump(tx, &c, 1);
    if (err != ERR_OK)
        return err;
    m->id = ++tx->last_message_id;
    m->seq = c.last_seq;
    m->timestamp = tx->tick;
    err = messages_add(tx, m);
    if (err == ERR_OK)
        err = outbox_add(tx, EVENT_MESSAGE_CREATED, &c, m->seq, (struct str){0});
    return err;
}

enum err
send_message(struct store *store, struct message *m)
{
    /* A malformed name is an unknown one; the conversation is still to be checked first. */
    return commit_run(store->commit, send_in_tx, m, m->content.n);
}
