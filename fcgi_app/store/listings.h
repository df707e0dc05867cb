/*
 * listings.h - the contents of a page of a user's list, read for all of its entries at once.
 *
 * Each function is called once for the whole page. So an engine behind a network needs a constant
 * number of round trips for a page, however many entries it has. None of the functions needs a
 * transaction, but they agree with each other only inside one. The messages of a page:
 * messages_at() (messages.h).
 */
#ifndef IMD_STORE_LISTINGS_H
#define IMD_STORE_LISTINGS_H

#include "base/arena.h"
#include "model/model.h"
#include "store/memberships.h"

/*
 * A count of unread messages reads about this many messages and stays at most, deleted messages
 * included.
 */
#define LISTINGS_LOOKS_MAX (3 * UNREAD_MAX)

/* An entry of the page. Each function says which of its members it reads and which it fills. */
struct listing_row {
    int32_t id; /* of the conversation */
    struct conversation conversation;
    struct stay last;   /* the user's last stay */
    int64_t read_seq;   /* how far the user has read; 0: never */
    int64_t newest_seq; /* of the newest message that the user received; 0: none */
    int64_t unread;     /* up to UNREAD_MAX */
};

/*
 * Reads id. Fills the conversation except its members, the stay, read_seq and newest_seq; titles
 * from the arena. ERR_STORAGE: there is no such conversation, or the user never was a member.
 */
enum err listings_standing(struct db *db, struct arena *arena, struct str username, struct listing_row *rows,
                           size_t count);
/* Reads the conversation. Fills its members, from the arena, if there are at most MEMBERS_FEW. */
enum err listings_names(struct db *db, struct arena *arena, struct listing_row *rows, size_t count);
/*
 * Reads the conversation, the stay and read_seq. Fills unread: how many messages after read_seq the
 * user received, without their own and deleted ones. The count begins with the newest; a run of the
 * user's own messages counts as one towards LISTINGS_LOOKS_MAX.
 */
enum err listings_unread(struct db *db, struct str username, struct listing_row *rows, size_t count);

#endif
