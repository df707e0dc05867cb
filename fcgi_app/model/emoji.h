/*
 * emoji.h - one stored spelling for each emoji.
 *
 * Keyboards differ in whether they write a variation selector (U+FE0F: draw this as an emoji) after
 * a character, so one emoji has several spellings. imd stores an emoji without variation selectors.
 * It shows the emoji with one after each character that would otherwise be drawn as text, which
 * Unicode calls fully qualified.
 */
#ifndef IMD_MODEL_EMOJI_H
#define IMD_MODEL_EMOJI_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/str.h"

/*
 * True if the text is 1 … EMOJI_BYTES_MAX bytes of UTF-8 without blanks and control characters, and
 * not only variation selectors. One emoji may be many code points.
 */
bool emoji_valid(struct str emoji);
/*
 * Returns the emoji without variation selectors, from the arena. `emoji` is valid UTF-8. An absent
 * string: out of memory.
 */
struct str emoji_plain(struct arena *arena, struct str emoji);
/*
 * Returns the fully qualified form of a plain emoji of at most EMOJI_BYTES_MAX bytes, from the
 * arena. If that form would be longer than EMOJI_BYTES_MAX, returns the plain one. An absent
 * string: out of memory.
 */
struct str emoji_shown(struct arena *arena, struct str plain);

#endif
