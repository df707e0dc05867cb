/*
 * emoji.h - one spelling for each emoji.
 *
 * Keyboards differ in whether they write a variation selector (U+FE0F: show this as an emoji) behind a
 * character, so the same emoji comes in several spellings. It is stored without any, and shown with one
 * behind each character that would be drawn as text otherwise, which is what Unicode calls fully-qualified.
 */
#ifndef IMD_MODEL_EMOJI_H
#define IMD_MODEL_EMOJI_H

#include "base/arena.h"
#include "model/model.h"
#include "base/str.h"

/* Whether nothing is left without variation selectors; `emoji` is valid UTF-8. */
bool emoji_is_nothing(struct str emoji);
/* Without variation selectors, from the arena; `emoji` is valid UTF-8. An absent string: out of memory. */
struct str emoji_plain(struct arena *arena, struct str emoji);
/*
 * How a plain one of at most EMOJI_BYTES_MAX bytes is shown, from the arena: fully qualified, or plain if
 * that would be longer than this. An absent string: out of memory.
 */
struct str emoji_shown(struct arena *arena, struct str plain);

#endif
