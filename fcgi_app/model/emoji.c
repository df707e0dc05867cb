/* emoji.c - see emoji.h. Must not know what an emoji is used for. */
#include "model/emoji.h"

#include "base/utf8.h"
#include "model/model.h"

#define TEXT_SELECTOR  0xfe0e
#define EMOJI_SELECTOR 0xfe0f
#define KEYCAP         0x20e3

/*
 * Characters that are drawn as text unless an emoji selector follows, in ascending ranges. These
 * are Emoji=Yes with Emoji_Presentation=No in emoji-data.txt of Unicode 17. Digits, '#' and '*' are
 * not listed, because they are emoji only in a keycap.
 */
static const uint32_t drawn_as_text[][2] = {
    {0xa9, 0xa9},       {0xae, 0xae},       {0x203c, 0x203c},   {0x2049, 0x2049},   {0x2122, 0x2122},
    {0x2139, 0x2139},   {0x2194, 0x2199},   {0x21a9, 0x21aa},   {0x2328, 0x2328},   {0x23cf, 0x23cf},
    {0x23ed, 0x23ef},   {0x23f1, 0x23f2},   {0x23f8, 0x23fa},   {0x24c2, 0x24c2},   {0x25aa, 0x25ab},
    {0x25b6, 0x25b6},   {0x25c0, 0x25c0},   {0x25fb, 0x25fc},   {0x2600, 0x2604},   {0x260e, 0x260e},
    {0x2611, 0x2611},   {0x2618, 0x2618},   {0x261d, 0x261d},   {0x2620, 0x2620},   {0x2622, 0x2623},
    {0x2626, 0x2626},   {0x262a, 0x262a},   {0x262e, 0x262f},   {0x2638, 0x263a},   {0x2640, 0x2640},
    {0x2642, 0x2642},   {0x265f, 0x2660},   {0x2663, 0x2663},   {0x2665, 0x2666},   {0x2668, 0x2668},
    {0x267b, 0x267b},   {0x267e, 0x267e},   {0x2692, 0x2692},   {0x2694, 0x2697},   {0x2699, 0x2699},
    {0x269b, 0x269c},   {0x26a0, 0x26a0},   {0x26a7, 0x26a7},   {0x26b0, 0x26b1},   {0x26c8, 0x26c8},
    {0x26cf, 0x26cf},   {0x26d1, 0x26d1},   {0x26d3, 0x26d3},   {0x26e9, 0x26e9},   {0x26f0, 0x26f1},
    {0x26f4, 0x26f4},   {0x26f7, 0x26f9},   {0x2702, 0x2702},   {0x2708, 0x2709},   {0x270c, 0x270d},
    {0x270f, 0x270f},   {0x2712, 0x2712},   {0x2714, 0x2714},   {0x2716, 0x2716},   {0x271d, 0x271d},
    {0x2721, 0x2721},   {0x2733, 0x2734},   {0x2744, 0x2744},   {0x2747, 0x2747},   {0x2763, 0x2764},
    {0x27a1, 0x27a1},   {0x2934, 0x2935},   {0x2b05, 0x2b07},   {0x3030, 0x3030},   {0x303d, 0x303d},
    {0x3297, 0x3297},   {0x3299, 0x3299},   {0x1f170, 0x1f171}, {0x1f17e, 0x1f17f}, {0x1f202, 0x1f202},
    {0x1f237, 0x1f237}, {0x1f321, 0x1f321}, {0x1f324, 0x1f32c}, {0x1f336, 0x1f336}, {0x1f37d, 0x1f37d},
    {0x1f396, 0x1f397}, {0x1f399, 0x1f39b}, {0x1f39e, 0x1f39f}, {0x1f3cb, 0x1f3ce}, {0x1f3d4, 0x1f3df},
    {0x1f3f3, 0x1f3f3}, {0x1f3f5, 0x1f3f5}, {0x1f3f7, 0x1f3f7}, {0x1f43f, 0x1f43f}, {0x1f441, 0x1f441},
    {0x1f4fd, 0x1f4fd}, {0x1f549, 0x1f54a}, {0x1f56f, 0x1f570}, {0x1f573, 0x1f579}, {0x1f587, 0x1f587},
    {0x1f58a, 0x1f58d}, {0x1f590, 0x1f590}, {0x1f5a5, 0x1f5a5}, {0x1f5a8, 0x1f5a8}, {0x1f5b1, 0x1f5b2},
    {0x1f5bc, 0x1f5bc}, {0x1f5c2, 0x1f5c4}, {0x1f5d1, 0x1f5d3}, {0x1f5dc, 0x1f5de}, {0x1f5e1, 0x1f5e1},
    {0x1f5e3, 0x1f5e3}, {0x1f5e8, 0x1f5e8}, {0x1f5ef, 0x1f5ef}, {0x1f5f3, 0x1f5f3}, {0x1f5fa, 0x1f5fa},
    {0x1f6cb, 0x1f6cb}, {0x1f6cd, 0x1f6cf}, {0x1f6e0, 0x1f6e5}, {0x1f6e9, 0x1f6e9}, {0x1f6f0, 0x1f6f0},
    {0x1f6f3, 0x1f6f3},
};

/* Returns the first character of valid UTF-8, and in *n its length in bytes. */
static uint32_t
first_of(struct str s, size_t *n)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned char lead = (unsigned char)s.p[0];
    uint32_t c;

    *n = 1;
    if (lead >= 0x80)
        *n = 2;
    if (lead >= 0xe0)
        *n = 3;
    if (lead >= 0xf0)
        *n = 4;
    c = lead & masks[*n];
    for (size_t i = 1; i < *n; i++)
        c = c << 6 | ((unsigned char)s.p[i] & 0x3f);
    return c;
}

static bool
is_drawn_as_text(uint32_t c)
{
    size_t low = 0;
    size_t high = sizeof(drawn_as_text) / sizeof(drawn_as_text[0]);

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (c > drawn_as_text[middle][1])
            low = middle + 1;
        else
            high = middle;
    }
    return low < sizeof(drawn_as_text) / sizeof(drawn_as_text[0]) && c >= drawn_as_text[low][0];
}

static bool
is_skin_tone(uint32_t c)
{
    return c >= 0x1f3fb && c <= 0x1f3ff;
}

static bool
is_keycap_base(uint32_t c)
{
    return (c >= '0' && c <= '9') || c == '#' || c == '*';
}

static bool
is_selector(uint32_t c)
{
    return c == TEXT_SELECTOR || c == EMOJI_SELECTOR;
}

/* True if the text consists only of variation selectors, or is empty. `emoji` is valid UTF-8. */
static bool
is_nothing(struct str emoji)
{
    size_t n;

    for (size_t i = 0; i < emoji.n; i += n)
        if (!is_selector(first_of((struct str){emoji.p + i, emoji.n - i}, &n)))
            return false;
    return true;
}

bool
emoji_valid(struct str emoji)
{
    for (size_t i = 0; i < emoji.n; i++)
        if ((unsigned char)emoji.p[i] <= ' ' || emoji.p[i] == 0x7f)
            return false;
    return emoji.n >= 1 && emoji.n <= EMOJI_BYTES_MAX && utf8_valid(emoji) && !is_nothing(emoji);
}

struct str
emoji_plain(struct arena *arena, struct str emoji)
{
    char *out = arena_alloc(arena, emoji.n + 1);
    size_t kept = 0;
    size_t n;

    if (out == NULL)
        return (struct str){0};
    for (size_t i = 0; i < emoji.n; i += n) {
        uint32_t c = first_of((struct str){emoji.p + i, emoji.n - i}, &n);

        if (is_selector(c))
            continue;
        memcpy(out + kept, emoji.p + i, n);
        kept += n;
    }
    return (struct str){out, kept};
}

struct str
emoji_shown(struct arena *arena, struct str plain)
{
    static const char selector[] = {'\xef', '\xb8', '\x8f'}; /* U+FE0F */
    /* Each byte of the text may need one selector. */
    char *out = arena_alloc(arena, plain.n * 4 + 1);
    size_t written = 0;
    size_t n;
    size_t next_n;

    if (out == NULL)
        return (struct str){0};
    for (size_t i = 0; i < plain.n; i += n) {
        uint32_t c = first_of((struct str){plain.p + i, plain.n - i}, &n);
        uint32_t next =
            i + n < plain.n ? first_of((struct str){plain.p + i + n, plain.n - i - n}, &next_n) : 0;

        memcpy(out + written, plain.p + i, n);
        written += n;
        /*
         * A skin tone already makes an emoji of the character before it. A keycap needs the
         * selector inside.
         */
        if ((next == KEYCAP && is_keycap_base(c)) || (is_drawn_as_text(c) && !is_skin_tone(next))) {
            memcpy(out + written, selector, sizeof(selector));
            written += sizeof(selector);
        }
    }
    /* A client must be able to send back what it is shown. */
    return written <= EMOJI_BYTES_MAX ? (struct str){out, written} : arena_copy(arena, plain);
}
