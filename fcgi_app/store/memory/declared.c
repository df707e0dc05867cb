/* declared.c - see declared.h. Must not know what commands do with what they read. */
#include "store/memory/declared.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "model/ids.h"
#include "store/command.h"

/* For printf: a string that is not ended by NUL. */
#define TEXT(s) (int)(s).n, (s).p == NULL ? "" : (s).p

/* What the running command declared; NULL: none runs. */
static const struct command_reads *
reads_of(const struct db *db)
{
    return ((const struct state *)(const void *)db)->reads;
}

/* Is there nothing to check? */
static bool
is_free(const struct db *db)
{
    return reads_of(db) == NULL || reads_of(db)->open;
}

/* The functions of this engine are named after those of the interface, with this prefix. */
#define PREFIX "memory_"

/*
 * Notes that the function reads something undeclared, which the format describes. Only the first
 * such read is kept.
 */
static void __attribute__((format(printf, 3, 4)))
note(struct db *db, const char *function, const char *format, ...)
{
    struct state *state = state_of(db);
    size_t room = sizeof(state->undeclared);
    va_list args;
    int n;

    if (state->undeclared[0] != '\0')
        return;
    n = snprintf(state->undeclared, room,
                 "%s() reads something that the command did not declare: ", function + strlen(PREFIX));
    va_start(args, format);
    if (n > 0 && (size_t)n < room)
        vsnprintf(state->undeclared + n, room - (size_t)n, format, args);
    va_end(args);
    fprintf(stderr, "%s\n", state->undeclared);
}

/* True if both are the same name; false if either is absent. */
static bool
is_same(struct str a, struct str b)
{
    return a.p != NULL && b.p != NULL && str_eq(a, b);
}

static bool
has_user(const struct command_reads *r, struct str username)
{
    for (size_t i = 0; i < COMMAND_USERS; i++)
        if (is_same(r->users[i], username))
            return true;
    return false;
}

/* The message of that id; NULL: there is none. */
static const struct message_row *
message_of_id(const struct db *db, int64_t id)
{
    const struct id_row wanted = {.key = {.id = id}};
    const struct id_row *row = table_get(state_table(db, ID), &wanted);

    return row == NULL ? NULL : state_message(db, row->key.conversation, row->key.seq);
}

static bool
has_pair(const struct command_reads *r, struct str low, struct str high)
{
    return is_same(r->low, low) && is_same(r->high, high);
}

static bool
has_creation(const struct command_reads *r, struct str creator, struct str client_id)
{
    return r->creation != NULL && is_same(r->creation->creator, creator) &&
           is_same(r->creation->client_id, client_id);
}

/* True if the declared message, pair or creation key leads to the conversation. */
static bool
is_led_to(const struct db *db, int32_t id)
{
    const struct command_reads *r = reads_of(db);
    const struct message_row *message = message_of_id(db, r->message);
    const struct conversation_row *row = state_conversation(db, id);
    const struct table *creations = state_table(db, CREATION);

    if (message != NULL && message->message.conversation == id)
        return true;
    if (row != NULL && has_pair(r, row->low, row->high))
        return true;
    for (size_t i = 0; i < creations->count; i++) {
        const struct creation_row *creation = table_row(creations, i);

        if (creation->conversation == id && has_creation(r, creation->creator, creation->client_id))
            return true;
    }
    return false;
}

/* True if the conversation is declared, or cannot exist: no engine needs to look for the latter. */
static bool
has_conversation(const struct db *db, int32_t id)
{
    return id == CONVERSATION_NONE || id == reads_of(db)->conversation || is_led_to(db, id);
}

void
declared_account(struct db *db, const char *function, struct str username)
{
    if (!is_free(db) && !has_user(reads_of(db), username))
        note(db, function, "account %.*s", TEXT(username));
}

void
declared_conversation(struct db *db, const char *function, int32_t id)
{
    if (!is_free(db) && !has_conversation(db, id))
        note(db, function, "conversation %" PRId32, id);
}

void
declared_pair(struct db *db, const char *function, struct str low, struct str high)
{
    if (!is_free(db) && !has_pair(reads_of(db), low, high))
        note(db, function, "the private chat of %.*s and %.*s", TEXT(low), TEXT(high));
}

void
declared_creation(struct db *db, const char *function, const struct creation_key *key)
{
    if (!is_free(db) && !has_creation(reads_of(db), key->creator, key->client_id))
        note(db, function, "creation key %.*s of %.*s", TEXT(key->client_id), TEXT(key->creator));
}

void
declared_stay(struct db *db, const char *function, int32_t conversation, struct str username)
{
    if (!is_free(db) && !(has_conversation(db, conversation) && has_user(reads_of(db), username)))
        note(db, function, "the last stay of %.*s in conversation %" PRId32, TEXT(username), conversation);
}

void
declared_marker(struct db *db, const char *function, int32_t conversation, struct str username)
{
    if (!is_free(db) && !(reads_of(db)->marker && has_conversation(db, conversation) &&
                          is_same(reads_of(db)->users[0], username)))
        note(db, function, "the read marker of %.*s in conversation %" PRId32, TEXT(username), conversation);
}

void
declared_names(struct db *db, const char *function, int32_t conversation)
{
    if (!is_free(db) && !(reads_of(db)->names && has_conversation(db, conversation)))
        note(db, function, "the members of conversation %" PRId32, conversation);
}

void
declared_owner(struct db *db, const char *function, int32_t conversation)
{
    if (!is_free(db) && !(reads_of(db)->owner && has_conversation(db, conversation)))
        note(db, function, "the owner of conversation %" PRId32, conversation);
}

void
declared_heir(struct db *db, const char *function, int32_t conversation)
{
    if (!is_free(db) && !(reads_of(db)->heir && has_conversation(db, conversation)))
        note(db, function, "the next owner of conversation %" PRId32, conversation);
}

void
declared_place(struct db *db, const char *function, int64_t message)
{
    if (!is_free(db) && message != reads_of(db)->message && message != reads_of(db)->reply_to)
        note(db, function, "the place of message %" PRId64, message);
}

void
declared_head(struct db *db, const char *function, int64_t message)
{
    if (!is_free(db) && message != reads_of(db)->message)
        note(db, function, "message %" PRId64, message);
}

void
declared_content(struct db *db, const char *function, int64_t message)
{
    if (!is_free(db) && !(reads_of(db)->content && message == reads_of(db)->message))
        note(db, function, "the content of message %" PRId64, message);
}

void
declared_sent(struct db *db, const char *function, struct str sender, struct str client_id)
{
    const struct command_reads *r = reads_of(db);

    if (!is_free(db) && !(is_same(r->users[0], sender) && is_same(r->client_id, client_id)))
        note(db, function, "client_id %.*s of %.*s", TEXT(client_id), TEXT(sender));
}

void
declared_reactions(struct db *db, const char *function, const struct message *m, struct str viewer)
{
    const struct command_reads *r = reads_of(db);
    bool shown;

    if (is_free(db))
        return;
    shown = (r->reactions && m->id == r->message) ||
            (is_same(r->users[0], m->sender) && is_same(r->client_id, m->client_id));
    if (!shown || !is_same(r->users[0], viewer))
        note(db, function, "the reactions to message %" PRId64 " as %.*s sees them", m->id, TEXT(viewer));
}

void
declared_reaction(struct db *db, const char *function, const struct message *m, struct str emoji,
                  struct str username)
{
    const struct command_reads *r = reads_of(db);
    bool is_theirs = username.p == NULL || (r != NULL && is_same(r->users[0], username));

    if (!is_free(db) && !(m->id == r->message && is_same(r->emoji, emoji) && is_theirs))
        note(db, function, "whether %.*s reacted to message %" PRId64 " with %.*s",
             TEXT(username.p == NULL ? str_c("any user") : username), m->id, TEXT(emoji));
}

void
declared_open(struct db *db, const char *function)
{
    if (!is_free(db))
        note(db, function, "something that only an open command may read");
}
