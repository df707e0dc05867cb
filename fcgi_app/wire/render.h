/*
 * render.h - the model as JSON: the same text in an answer and in a push frame.
 */
#ifndef IMD_WIRE_RENDER_H
#define IMD_WIRE_RENDER_H

#include "base/buf.h"
#include "base/model.h"

void render_message(struct buf *b, const struct message *m);
void render_conversation(struct buf *b, const struct conversation *c);

/*
 * A push frame around one event. Exactly one of `m` and `c` is given where the event carries a message or
 * a conversation; both NULL where it carries a user name.
 */
void render_frame(struct buf *b, const char *epoch, const struct change *change, const struct message *m,
                  const struct conversation *c);

/* An error body. `field` may be NULL. */
void render_problem(struct buf *b, struct str sentence, const char *code, const char *field, int status,
                    struct str request_id);

#endif
