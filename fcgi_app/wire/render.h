/*
 * render.h - the model as JSON: the same text in an answer and in a push frame.
 */
#ifndef IMD_WIRE_RENDER_H
#define IMD_WIRE_RENDER_H

#include "base/buf.h"
#include "model/model.h"

/* A list of strings. */
void render_names(struct buf *b, const struct str *names, size_t count);
void render_message(struct buf *b, const struct message *m);
/* Its members only where they were read. */
void render_conversation(struct buf *b, const struct conversation *c);
/* An entry of a user's list. */
void render_listing(struct buf *b, const struct listing *l);
/* {"username": …, "role": …}, and "left" where they did. */
void render_standing(struct buf *b, const struct standing *s);
/* An object of user name and seq for each. */
void render_markers(struct buf *b, const struct read_marker *markers, size_t count);

/*
 * A push frame: its beginning, one or more events, its end. An event carries the message or the conversation
 * that is given, and the change's user name and emoji where it has them. What makes no version bears none.
 */
void render_frame_begin(struct buf *b, const char *epoch);
void render_event(struct buf *b, const struct change *change, const struct message *m,
                  const struct conversation *c);
void render_frame_end(struct buf *b);

/* An error body. `field` may be NULL. */
void render_problem(struct buf *b, struct str sentence, const char *code, const char *field, int status,
                    struct str request_id);

#endif
