/*
 * reactions.h - the tables reaction_set and reaction: who reacted to a message, by emoji.
 *
 * Emoji are passed in their plain form (model/emoji.h), but reactions_read() returns them as they
 * are shown. Functions that take a `struct tx` need a write transaction. Those that take a `struct
 * db` need none.
 */
#ifndef IMD_STORE_REACTIONS_H
#define IMD_STORE_REACTIONS_H

#include "base/arena.h"
#include "model/model.h"
#include "store/tx.h"

/*
 * Fills m->reactions, from the arena: for each emoji its count, the first REACTION_NAMES_MAX names,
 * and whether `viewer` (absent: none) is among all of them. Costs nothing if m->emoji_count is 0,
 * and never more than what is shown.
 */
enum err reactions_read(struct db *db, struct arena *arena, struct str viewer, struct message *m);

/* A page of the users who reacted with one emoji. */
struct reactors {
    struct str emoji;        /* in */
    struct str after;        /* in: names beyond this one; "": all */
    int limit;               /* in */
    int64_t count;           /* out: of all */
    const struct str *names; /* out: in byte order, from the arena … */
    size_t name_count;       /* … so many */
    bool has_next;           /* out */
};

/* Fills the outputs of the page. */
enum err reactions_page(struct db *db, struct arena *arena, const struct message_key *key,
                        struct reactors *page);

/*
 * Adds or removes a user's reaction, and updates m->emoji_count, but not the message's row.
 * Idempotent: *changed is false if there was nothing to do. ERR_TOO_MANY_REACTIONS, before anything
 * is written: the message has EMOJI_PER_MESSAGE different emoji.
 */
enum err reactions_add(struct tx *tx, struct message *m, struct str emoji, struct str username,
                       bool *changed);
enum err reactions_remove(struct tx *tx, struct message *m, struct str emoji, struct str username,
                          bool *changed);
/*
 * Removes all reactions to the message with this emoji, or all reactions to it. Neither may cost
 * more than one step for each emoji, however many users reacted.
 */
enum err reactions_clear(struct tx *tx, struct message *m, struct str emoji, bool *changed);
enum err reactions_clear_all(struct tx *tx, struct message *m);

#endif
