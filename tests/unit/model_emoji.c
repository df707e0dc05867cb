/* Checks: all spellings of an emoji have one plain form and one shown form. */
#include "support.h"

#include <stdio.h>
#include "model/emoji.h"

#define VS15 "\xef\xb8\x8e"
#define VS16 "\xef\xb8\x8f"
#define ZWJ  "\xe2\x80\x8d"

static struct arena arena;

static void
assert_one(const char *const *spellings, const char *shown)
{
    struct str plain = emoji_plain(&arena, str_c(spellings[0]));

    for (; *spellings != NULL; spellings++) {
        assert_true(str_eq(emoji_plain(&arena, str_c(*spellings)), plain));
        assert_true(str_is(emoji_shown(&arena, plain), shown));
    }
    /* The shown form is one of its spellings. */
    assert_true(str_eq(emoji_plain(&arena, str_c(shown)), plain));
}

static void
selectors_make_no_other_emoji(void **state)
{
    static const char *const thumb[] = {"\xf0\x9f\x91\x8d", "\xf0\x9f\x91\x8d" VS16, "\xf0\x9f\x91\x8d" VS15,
                                        NULL};
    static const char *const heart[] = {"\xe2\x9d\xa4", "\xe2\x9d\xa4" VS16, "\xe2\x9d\xa4" VS15, NULL};
    static const char *const fist[] = {"\xe2\x98\x9d\xf0\x9f\x8f\xbd", "\xe2\x98\x9d" VS16 "\xf0\x9f\x8f\xbd",
                                       NULL};
    static const char *const keycap[] = {"1\xe2\x83\xa3", "1" VS16 "\xe2\x83\xa3", NULL};
    static const char *const rainbow[] = {"\xf0\x9f\x8f\xb3" ZWJ "\xf0\x9f\x8c\x88",
                                          "\xf0\x9f\x8f\xb3" VS16 ZWJ "\xf0\x9f\x8c\x88", NULL};
    static const char *const kiss[] = {"\xf0\x9f\x91\xa9" ZWJ "\xe2\x9d\xa4" ZWJ "\xf0\x9f\x91\xa8",
                                       "\xf0\x9f\x91\xa9" ZWJ "\xe2\x9d\xa4" VS16 ZWJ "\xf0\x9f\x91\xa8",
                                       NULL};
    static const char *const text[] = {"+1", NULL};

    (void)state;
    assert_one(thumb, thumb[0]);
    assert_one(heart, heart[1]);
    assert_one(fist, fist[0]);
    assert_one(keycap, keycap[1]);
    assert_one(rainbow, rainbow[1]);
    assert_one(kiss, kiss[1]);
    assert_one(text, "+1");
    arena_clear(&arena);
}

static void
a_shown_emoji_can_be_sent_back(void **state)
{
    char text[EMOJI_BYTES_MAX + 1] = "";
    struct str plain;
    struct str shown;

    (void)state;
    /* With a selector after each character it would be longer than an emoji may be. */
    while (strlen(text) < EMOJI_BYTES_MAX)
        strcat(text, "\xc2\xa9");
    plain = emoji_plain(&arena, str_c(text));
    shown = emoji_shown(&arena, plain);
    assert_true(str_is(shown, text));
    assert_true(str_eq(emoji_plain(&arena, shown), plain));
    /* Only digits, # and * can be keycaps. */
    assert_true(str_is(emoji_shown(&arena, str_c("a\xe2\x83\xa3")), "a\xe2\x83\xa3"));
    assert_true(str_is(emoji_shown(&arena, str_c("7")), "7"));
    arena_clear(&arena);
}

static void
every_character_survives(void **state)
{
    char text[8];

    (void)state;
    for (uint32_t c = 1; c < 0x110000; c++) {
        int n = c < 0x80 ? snprintf(text, sizeof(text), "%c", (int)c)
                : c < 0x800
                    ? snprintf(text, sizeof(text), "%c%c", (int)(0xc0 | c >> 6), (int)(0x80 | (c & 0x3f)))
                : c < 0x10000 ? snprintf(text, sizeof(text), "%c%c%c", (int)(0xe0 | c >> 12),
                                         (int)(0x80 | (c >> 6 & 0x3f)), (int)(0x80 | (c & 0x3f)))
                              : snprintf(text, sizeof(text), "%c%c%c%c", (int)(0xf0 | c >> 18),
                                         (int)(0x80 | (c >> 12 & 0x3f)), (int)(0x80 | (c >> 6 & 0x3f)),
                                         (int)(0x80 | (c & 0x3f)));
        struct str plain = emoji_plain(&arena, (struct str){text, (size_t)n});
        struct str shown = emoji_shown(&arena, plain);

        assert_int_equal(plain.n, c == 0xfe0e || c == 0xfe0f ? 0 : n);
        assert_true(str_eq(emoji_plain(&arena, shown), plain));
        arena_reset(&arena);
    }
    arena_clear(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_make_no_other_emoji),
        cmocka_unit_test(a_shown_emoji_can_be_sent_back),
        cmocka_unit_test(every_character_survives),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
