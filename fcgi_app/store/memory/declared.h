/*
 * declared.h - compares what a command reads with what it declared (store/command.h).
 *
 * Each reading function of the interface calls one of these, with its own name, before it reads. If
 * the declaration does not cover the read, db->undeclared says which function read what, and the
 * unit test fails. Outside of commands every read is allowed.
 */
#ifndef IMD_STORE_MEMORY_DECLARED_H
#define IMD_STORE_MEMORY_DECLARED_H

#include "store/conversations.h"
#include "store/memory/state.h"

/* Check a read of an account, a conversation, or a row that leads to one. */
void declared_account(struct db *db, const char *function, struct str username);
void declared_conversation(struct db *db, const char *function, int32_t id);
void declared_pair(struct db *db, const char *function, struct str low, struct str high);
void declared_creation(struct db *db, const char *function, const struct creation_key *key);

/*
 * Check reads in a conversation: the user's last stay or read marker, the members, the owner, the
 * next owner.
 */
void declared_stay(struct db *db, const char *function, int32_t conversation, struct str username);
void declared_marker(struct db *db, const char *function, int32_t conversation, struct str username);
void declared_names(struct db *db, const char *function, int32_t conversation);
void declared_owner(struct db *db, const char *function, int32_t conversation);
void declared_heir(struct db *db, const char *function, int32_t conversation);

/* Check reads of a message by its id: where it stands, its head, its content. */
void declared_place(struct db *db, const char *function, int64_t message);
void declared_head(struct db *db, const char *function, int64_t message);
void declared_content(struct db *db, const char *function, int64_t message);
/* Checks a read of the message that the sender sent under the key. */
void declared_sent(struct db *db, const char *function, struct str sender, struct str client_id);
/* Checks a read of all reactions to the message, as the viewer sees them. */
void declared_reactions(struct db *db, const char *function, const struct message *m, struct str viewer);
/* Checks a read of the user's reaction with the emoji (absent: anybody's). */
void declared_reaction(struct db *db, const char *function, const struct message *m, struct str emoji,
                       struct str username);
/* Checks a read that only an open command may make. */
void declared_open(struct db *db, const char *function);

#endif
