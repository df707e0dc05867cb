/* send.c - see send.h. Must not know how a message arrived or who receives it. */
#include "domain/send.h"

#include "domain/visibility.h"
#include "store/accounts.h"
#include "store/conversations.h"
#include "store/messages.h"
#include "store/outbox.h"

bool
send_client_id_valid(struct str client_id)
{
    for (size_t i = 0; i < client_id.n; i++)
        if (client_id.p[i] < ' ' || client_id.p[i] > '~')
            return false;
    return client_id.n >= 1 && client_id.n <= CLIENT_ID_BYTES_MAX;
}

/* Returns the error for a sender who is not a member. */
static enum err
refusal(struct db *db, const struct sending *sending)
{
    bool known = sending->verified;
    enum err err = known ? ERR_OK : accounts_exists(db, sending->message.sender, &known);

    if (err != ERR_OK)
        return err;
    return known ? ERR_SENDER_NOT_MEMBER : ERR_USERNAME;
}

/* Finds the message that was sent under this key before, as its sender may see it now. */
static enum err
find_first(struct db *db, struct sending *sending, bool *found)
{
    const struct message *m = &sending->message;
    struct message first;
    int fingerprint;
    bool same;
    const struct message_reader reader = {db, sending->arena, m->sender};
    enum err err = messages_by_client_id(&reader, m->client_id, &first, &fingerprint, found);

    if (err != ERR_OK || !*found)
        return err;
    same =
        fingerprint < 0 ? str_eq(first.content, m->content) : fingerprint == messages_fingerprint(m->content);
    if (first.conversation != m->conversation || first.reply_to != m->reply_to || !same)
        return ERR_IDEMPOTENCY_MISMATCH;
    err = visibility_apply(&(struct visibility){.db = db, .viewer = first.sender}, &first);
    sending->message = first;
    sending->replayed = true;
    return err;
}

static enum err
check_reply(struct db *db, const struct message *m)
{
    struct message_key target;
    bool found;
    enum err err = messages_key(db, m->reply_to, &target, &found);

    if (err != ERR_OK)
        return err;
    return found && target.conversation == m->conversation ? ERR_OK : ERR_REPLY_TO;
}

static enum err
send_in_tx(struct tx *tx, void *arg)
{
    struct sending *sending = arg;
    struct message *m = &sending->message;
    struct posting posting = {.sender = m->sender, .conversation = {.id = m->conversation}};
    struct conversation *c = &posting.conversation;
    bool repeated = false;
    enum err err = m->client_id.p == NULL ? ERR_OK : find_first(tx->db, sending, &repeated);

    if (err != ERR_OK || repeated)
        return err;
    err = conversations_for_sender(tx->db, &posting);
    if (err != ERR_OK)
        return err;
    if (!posting.found)
        return ERR_CONVERSATION;
    if (!posting.is_member)
        return refusal(tx->db, sending);
    if (m->reply_to != 0)
        err = check_reply(tx->db, m);
    if (err == ERR_OK)
        err = conversations_bump(tx, c, 1, 0);
    if (err != ERR_OK)
        return err;
    m->seq = c->last_seq;
    m->timestamp = tx->tick;
    err = messages_add(tx, m, c->version);
    if (err == ERR_OK)
        err = outbox_add(tx, EVENT_MESSAGE_CREATED, c, m->seq, (struct str){0});
    return err;
}

enum err
send_message(struct store *store, struct sending *sending)
{
    const struct message *m = &sending->message;

    /* A malformed name is treated as an unknown one, after the conversation has been checked. */
    return store_run(store, &(struct command){
                                .run = send_in_tx,
                                .arg = sending,
                                .bytes = m->content.n,
                                .reads =
                                    {
                                        .conversation = m->conversation,
                                        .users = {m->sender},
                                        .client_id = m->client_id,
                                        .reply_to = m->reply_to,
                                    },
                            });
}
