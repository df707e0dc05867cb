/*
 * engine.h - an engine: a name, and an implementation of each function of the interface.
 *
 * The other headers of this room declare the interface. Each of its functions calls the function of
 * the same name in an engine: the one that its handle belongs to, or that its URI names. So one imd
 * can contain several engines, and one process can have stores of several engines open.
 *
 * To add a function to the interface: declare it in its header, call through the table in the file
 * of the same name, and add it to the list below. Then each engine must define ENGINE_FUNCTION(): a
 * definition that is missing does not link, and one of another type does not compile.
 *
 * Only the files of store/ and of its engines may include this.
 */
#ifndef IMD_STORE_ENGINE_H
#define IMD_STORE_ENGINE_H

#include "store/accounts.h"
#include "store/conversations.h"
#include "store/housekeeping.h"
#include "store/instance.h"
#include "store/listings.h"
#include "store/markers.h"
#include "store/memberships.h"
#include "store/messages.h"
#include "store/outbox.h"
#include "store/reactions.h"
#include "store/repair.h"
#include "store/size.h"
#include "store/store.h"

/* The functions of each engine, by header. EACH(function) is expanded for each of them. */
#define ENGINE_STORE(EACH)                                                                                   \
    EACH(store_check)                                                                                        \
    EACH(store_uses_network)                                                                                 \
    EACH(store_file)                                                                                         \
    EACH(store_prepare)                                                                                      \
    EACH(store_open)                                                                                         \
    EACH(store_open_for_reading)                                                                             \
    EACH(store_close)                                                                                        \
    EACH(store_run)                                                                                          \
    EACH(snapshot_begin)                                                                                     \
    EACH(snapshot_end)

#define ENGINE_ACCOUNTS(EACH)                                                                                \
    EACH(accounts_exists)                                                                                    \
    EACH(accounts_add)

#define ENGINE_CONVERSATIONS(EACH)                                                                           \
    EACH(conversations_get)                                                                                  \
    EACH(conversations_for_sender)                                                                           \
    EACH(conversations_by_pair)                                                                              \
    EACH(conversations_add)                                                                                  \
    EACH(conversations_by_key)                                                                               \
    EACH(conversations_add_key)                                                                              \
    EACH(conversations_bump)                                                                                 \
    EACH(conversations_set_settings)

#define ENGINE_INSTANCE(EACH)                                                                                \
    EACH(instance_get)                                                                                       \
    EACH(instance_probe)

#define ENGINE_LISTINGS(EACH)                                                                                \
    EACH(listings_standing)                                                                                  \
    EACH(listings_names)                                                                                     \
    EACH(listings_unread)

#define ENGINE_MARKERS(EACH)                                                                                 \
    EACH(markers_get)                                                                                        \
    EACH(markers_set)                                                                                        \
    EACH(markers_of_conversation)                                                                            \
    EACH(markers_moved)

#define ENGINE_MEMBERSHIPS(EACH)                                                                             \
    EACH(memberships_last)                                                                                   \
    EACH(memberships_current)                                                                                \
    EACH(memberships_role)                                                                                   \
    EACH(memberships_first)                                                                                  \
    EACH(memberships_span)                                                                                   \
    EACH(memberships_past_before)                                                                            \
    EACH(memberships_owner)                                                                                  \
    EACH(memberships_heir)                                                                                   \
    EACH(memberships_add)                                                                                    \
    EACH(memberships_end)                                                                                    \
    EACH(memberships_set_role)                                                                               \
    EACH(memberships_names)                                                                                  \
    EACH(memberships_page)                                                                                   \
    EACH(memberships_names_at)                                                                               \
    EACH(memberships_active)                                                                                 \
    EACH(memberships_since)                                                                                  \
    EACH(memberships_present)                                                                                \
    EACH(memberships_left)                                                                                   \
    EACH(memberships_walk)

#define ENGINE_MESSAGES(EACH)                                                                                \
    EACH(messages_add)                                                                                       \
    EACH(messages_get)                                                                                       \
    EACH(messages_at)                                                                                        \
    EACH(messages_by_id)                                                                                     \
    EACH(messages_head)                                                                                      \
    EACH(messages_content)                                                                                   \
    EACH(messages_key)                                                                                       \
    EACH(messages_by_client_id)                                                                              \
    EACH(messages_edit)                                                                                      \
    EACH(messages_delete)                                                                                    \
    EACH(messages_set_reacted)                                                                               \
    EACH(messages_first_after)                                                                               \
    EACH(messages_first_created_after)                                                                       \
    EACH(messages_page_before)                                                                               \
    EACH(messages_keys)                                                                                      \
    EACH(messages_since)                                                                                     \
    EACH(messages_walk)

#define ENGINE_OUTBOX(EACH)                                                                                  \
    EACH(outbox_add)                                                                                         \
    EACH(outbox_add_reaction)                                                                                \
    EACH(outbox_after)                                                                                       \
    EACH(outbox_oldest)

#define ENGINE_REACTIONS(EACH)                                                                               \
    EACH(reactions_read)                                                                                     \
    EACH(reactions_page)                                                                                     \
    EACH(reactions_add)                                                                                      \
    EACH(reactions_remove)                                                                                   \
    EACH(reactions_clear)                                                                                    \
    EACH(reactions_clear_all)

#define ENGINE_SIZE(EACH) EACH(size_get)

#define ENGINE_FUNCTIONS(EACH)                                                                               \
    ENGINE_STORE(EACH)                                                                                       \
    ENGINE_ACCOUNTS(EACH)                                                                                    \
    ENGINE_CONVERSATIONS(EACH)                                                                               \
    ENGINE_INSTANCE(EACH)                                                                                    \
    ENGINE_LISTINGS(EACH)                                                                                    \
    ENGINE_MARKERS(EACH)                                                                                     \
    ENGINE_MEMBERSHIPS(EACH)                                                                                 \
    ENGINE_MESSAGES(EACH)                                                                                    \
    ENGINE_OUTBOX(EACH)                                                                                      \
    ENGINE_REACTIONS(EACH)                                                                                   \
    ENGINE_SIZE(EACH)

/*
 * The functions that an engine needs only if its data outlives the process: housekeeping.h,
 * repair.h.
 */
#define ENGINE_UPKEEP(EACH)                                                                                  \
    EACH(housekeeping_start)                                                                                 \
    EACH(housekeeping_stop)                                                                                  \
    EACH(housekeeping_look)                                                                                  \
    EACH(repair_open)                                                                                        \
    EACH(repair_close)                                                                                       \
    EACH(repair_look)                                                                                        \
    EACH(repair_clock)

/* A pointer to a function of the same type as the function of the interface. */
#define ENGINE_MEMBER(function) __typeof__(function) *(function);

struct engine {
    const char *name; /* the scheme of its URIs: everything before the first colon */
    const char *form; /* its URIs as an operator writes them: "sqlite:PATH" */
    ENGINE_FUNCTIONS(ENGINE_MEMBER)
    ENGINE_UPKEEP(ENGINE_MEMBER) /* NULL if the data ends with the process */
};

/*
 * The handles that the interface passes around. An engine embeds each as the first member of a
 * structure of its own, and sets `engine` when it makes one.
 */
struct connections {
    const struct engine *engine;
};

struct db {
    const struct engine *engine;
};

struct housekeeping {
    const struct engine *engine;
};

struct repair {
    const struct engine *engine;
};

/*
 * The engines of this program, ended by NULL. engines.c has the list of imd and imctl. Unit tests
 * have a list of their own, with the engine in memory.
 */
extern const struct engine *const engines[];

/* Returns the engine that the URI names; NULL if this program does not have it. */
const struct engine *engine_find(const char *uri);
/*
 * Returns the rest of the URI after the engine's name and the colon. The program must have the
 * engine.
 */
const char *engine_rest(const char *uri);

#endif
