/*
 * render.h - renders the model as JSON, alike in answers and in push frames.
 */
#ifndef IMD_WIRE_RENDER_H
#define IMD_WIRE_RENDER_H

#include "base/buf.h"
#include "model/model.h"

/* Appends a list of strings. */
void render_names(struct buf *b, const struct str *names, size_t count);
void render_message(struct buf *b, const struct message *m);
/* Includes the members only if they are few and all of them were read. */
void render_conversation(struct buf *b, const struct conversation *c);
/* Appends an entry of a user's list. */
void render_listing(struct buf *b, const struct listing *l);
/* Appends {"username": …, "role": …}, with "left": true for a former member. */
void render_standing(struct buf *b, const struct standing *s);
/* Appends an object that maps user names to seqs. */
void render_markers(struct buf *b, const struct read_marker *markers, size_t count);

/*
 * A push frame: begin, one or more events, end. An event includes the message or the conversation
 * if one is given, and the change's user name and emoji if it has them. EVENT_READ and EVENT_TYPING
 * have no version.
 */
void render_frame_begin(struct buf *b, const char *epoch);
void render_event(struct buf *b, const struct change *change, const struct message *m,
                  const struct conversation *c);
void render_frame_end(struct buf *b);

/* The body of the answer to a refused request. */
struct refusal {
    int status;
    struct str code;
    struct str sentence;
    const char *field; /* the input at fault; NULL: none */
    struct str request_id;
};

/* Appends an error body. */
void render_problem(struct buf *b, const struct refusal *refusal);

#endif
