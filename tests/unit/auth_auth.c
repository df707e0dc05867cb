/*
 * Checks authentication in each mode, for each origin, kind of request and kind of credentials,
 * against the rules written down a second time. Checks who is an administrator, which addresses are
 * loopback, and with which settings imd must not start.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "auth/auth.h"
#include "auth/token.h"
#include "base/clock.h"
#include "wire/object.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static char directory[] = "/tmp/imd-unit-auth-XXXXXX";
static char key_path[64];
static struct config config;
static struct auth *auth;
static struct arena arena;

static int
make_key(void **state)
{
    FILE *f;

    support_group(state);
    object_setup();
    arena_init(&arena);
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(key_path, sizeof(key_path), "%s/k.hs256", directory);
    f = fopen(key_path, "w");
    if (f == NULL || fputs(SECRET, f) < 0 || fclose(f) != 0)
        return -1;
    return chmod(key_path, 0600);
}

static int
remove_key(void **state)
{
    (void)state;
    arena_clear(&arena);
    return unlink(key_path) == 0 ? rmdir(directory) : -1;
}

static int
close_auth(void **state)
{
    (void)state;
    auth_free(auth);
    auth = NULL;
    return 0;
}

/* Creates an auth of that mode; `more` has the other settings. */
static void
open_auth(enum auth_mode mode, const struct config *more)
{
    close_auth(NULL);
    config = *more;
    config.auth = mode;
    snprintf(config.jwt_keys, sizeof(config.jwt_keys), "%s", directory);
    snprintf(config.jwt_admin_claim, sizeof(config.jwt_admin_claim), "imd_admin");
    assert_int_equal(auth_new(&auth, &config), ERR_OK);
}

/* From the arena. */
static struct str
token_for(const char *subject, bool admin, int64_t ttl_s)
{
    int64_t now_s = clock_wall_ms() / 1000;
    struct key key = {
        .id = "k", .alg = KEY_HS256, .bytes = (unsigned char *)strdup(SECRET), .n = strlen(SECRET)};
    struct token_order order = {&key, subject, admin ? "imd_admin" : "", now_s, now_s + ttl_s, "", ""};
    struct str copy;
    char *token;

    assert_int_equal(token_mint(&order, &token), ERR_OK);
    copy = arena_copy(&arena, str_c(token));
    assert_non_null(copy.p);
    free(token);
    free(key.bytes);
    return copy;
}

static struct str
bearer(struct str token)
{
    char text[TOKEN_BYTES_MAX];

    snprintf(text, sizeof(text), "Bearer %.*s", (int)token.n, token.p);
    return arena_copy(&arena, str_c(text));
}

static void
assert_caller(const struct credentials *c, enum err wanted, const char *name, bool admin)
{
    struct caller caller;

    assert_int_equal(auth_identify(auth, c, &arena, &caller), wanted);
    if (wanted != ERR_OK)
        return;
    assert_true(str_is(caller.name, name));
    assert_int_equal(caller.admin, admin);
}

/* --- the table */

static const enum origin origins[] = {ORIGIN_NONE, ORIGIN_OWN, ORIGIN_LISTED, ORIGIN_FOREIGN,
                                      ORIGIN_UNLISTED};

enum request { READING, WRITING, SOCKET, REQUESTS };

static struct credentials
request_of(enum origin origin, enum request request)
{
    return (struct credentials){.origin = origin, .safe = request != WRITING, .socket = request == SOCKET};
}

/*
 * The documented rules, as a table. A line for each origin: reading, writing, socket. '+': the
 * credentials count; '-': they are ignored; 'o': the origin is refused.
 */
static const char *const of_cookies[] = {[ORIGIN_NONE] = "+-+",
                                         [ORIGIN_OWN] = "+++",
                                         [ORIGIN_LISTED] = "+++",
                                         [ORIGIN_FOREIGN] = "---",
                                         [ORIGIN_UNLISTED] = "--o"};
static const char *const of_headers[] = {[ORIGIN_NONE] = "+++",
                                         [ORIGIN_OWN] = "+++",
                                         [ORIGIN_LISTED] = "+++",
                                         [ORIGIN_FOREIGN] = "+++",
                                         [ORIGIN_UNLISTED] = "++o"};
static const char *const of_urls[] = {[ORIGIN_NONE] = "--+",
                                      [ORIGIN_OWN] = "--+",
                                      [ORIGIN_LISTED] = "--+",
                                      [ORIGIN_FOREIGN] = "--+",
                                      [ORIGIN_UNLISTED] = "--o"};
static const char *const of_proxies[] = {[ORIGIN_NONE] = "+++",
                                         [ORIGIN_OWN] = "+++",
                                         [ORIGIN_LISTED] = "+++",
                                         [ORIGIN_FOREIGN] = "ooo",
                                         [ORIGIN_UNLISTED] = "ooo"};

static enum err
error_of(char cell)
{
    return cell == '+' ? ERR_OK : cell == 'o' ? ERR_ORIGIN : ERR_CREDENTIALS_MISSING;
}

static void
each_credential_counts_where_it_may(void **state)
{
    struct str token = token_for("ann", false, 600);
    struct str header = bearer(token);

    (void)state;
    open_auth(AUTH_JWT, &(struct config){0});
    for (size_t i = 0; i < 5; i++)
        for (int r = 0; r < REQUESTS; r++) {
            struct credentials c = request_of(origins[i], (enum request)r);

            assert_caller(&c, error_of(r == SOCKET && origins[i] == ORIGIN_UNLISTED ? 'o' : '-'), "", false);
            c.cookie = token;
            assert_caller(&c, error_of(of_cookies[i][r]), "ann", false);
            c.cookie = (struct str){0};
            c.url_token = token;
            assert_caller(&c, error_of(of_urls[i][r]), "ann", false);
            c.url_token = (struct str){0};
            c.authorization = header;
            assert_caller(&c, error_of(of_headers[i][r]), "ann", false);
            /* The user that the host's nginx names counts only in mode proxy. */
            c.authorization = (struct str){0};
            c.remote_user = str_c("ann");
            assert_caller(&c, error_of(r == SOCKET && origins[i] == ORIGIN_UNLISTED ? 'o' : '-'), "", false);
        }
}

static void
the_hosts_nginx_is_trusted_for_allowed_origins(void **state)
{
    struct str token = token_for("ann", true, 600);

    (void)state;
    open_auth(AUTH_PROXY, &(struct config){0});
    for (size_t i = 0; i < 5; i++)
        for (int r = 0; r < REQUESTS; r++) {
            struct credentials c = request_of(origins[i], (enum request)r);

            /* Tokens are ignored here. */
            c.authorization = bearer(token);
            c.cookie = c.url_token = token;
            assert_caller(&c, error_of(r == SOCKET && origins[i] == ORIGIN_UNLISTED ? 'o' : '-'), "", false);
            c.remote_user = str_c("bob");
            assert_caller(&c, error_of(of_proxies[i][r]), "bob", false);
        }
}

static void
a_header_wins_over_a_cookie_and_a_cookie_over_the_address(void **state)
{
    struct str ann = token_for("ann", false, 600);
    struct str bob = token_for("bob", false, 600);
    struct str cid = token_for("cid", false, 600);
    struct credentials c = request_of(ORIGIN_OWN, SOCKET);

    (void)state;
    open_auth(AUTH_JWT, &(struct config){0});
    c.url_token = cid;
    assert_caller(&c, ERR_OK, "cid", false);
    c.cookie = bob;
    assert_caller(&c, ERR_OK, "bob", false);
    /* A cookie that is ignored does no harm. */
    c.origin = ORIGIN_FOREIGN;
    assert_caller(&c, ERR_OK, "cid", false);
    c.origin = ORIGIN_OWN;
    c.authorization = bearer(ann);
    assert_caller(&c, ERR_OK, "ann", false);
    /* A bad header is refused, whatever else is given. */
    c.authorization = str_c("Bearer x");
    assert_caller(&c, ERR_TOKEN, "", false);
    /* Another scheme belongs to the host. */
    c.authorization = str_c("Basic YW5uOng=");
    assert_caller(&c, ERR_OK, "bob", false);
    c.cookie = str_c("x");
    assert_caller(&c, ERR_TOKEN, "", false);
}

static void
the_scheme_bearer_is_case_insensitive(void **state)
{
    static const struct {
        const char *before;
        const char *after;
        enum err err;
    } cases[] = {
        {"Bearer ", "", ERR_OK},
        {"bearer ", "", ERR_OK},
        {"BEARER ", "", ERR_OK},
        {"Bearer   ", "", ERR_OK},
        {"Bearer\t", "", ERR_CREDENTIALS_MISSING},
        {"Bearer", "", ERR_CREDENTIALS_MISSING},
        {" Bearer ", "", ERR_CREDENTIALS_MISSING},
        {"", "", ERR_CREDENTIALS_MISSING},
        {"Token ", "", ERR_CREDENTIALS_MISSING},
        {"Bearer ", " ", ERR_TOKEN},
        {"Bearer ", ",", ERR_TOKEN},
        {"Bearer \"", "\"", ERR_TOKEN},
    };
    static const char *const empty[] = {"", "Bearer", "Bearer ", "Bearer   ", "Basic"};
    struct str token = token_for("ann", false, 600);

    (void)state;
    open_auth(AUTH_JWT, &(struct config){0});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct credentials c = request_of(ORIGIN_NONE, READING);
        char text[1024];

        snprintf(text, sizeof(text), "%s%s%s", cases[i].before, token.p, cases[i].after);
        c.authorization = str_c(text);
        assert_caller(&c, cases[i].err, "ann", false);
    }
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        struct credentials c = request_of(ORIGIN_NONE, READING);

        c.authorization = str_c(empty[i]);
        assert_caller(&c, ERR_CREDENTIALS_MISSING, "", false);
    }
}

static void
cached_tokens_are_verified_like_new_ones(void **state)
{
    struct credentials c = request_of(ORIGIN_NONE, READING);
    struct str good = token_for("ann", true, 600);
    char *longer = malloc(TOKEN_BYTES_MAX + 1);

    (void)state;
    assert_non_null(longer);
    open_auth(AUTH_JWT, &(struct config){0});
    for (int round = 0; round < 3; round++) {
        c.cookie = good;
        assert_caller(&c, ERR_OK, "ann", true);
        c.cookie = (struct str){good.p, good.n - 1};
        assert_caller(&c, ERR_TOKEN, "", false);
        c.cookie = token_for("ann", true, -61);
        assert_caller(&c, ERR_TOKEN_EXPIRED, "", false);
        c.cookie = token_for("a b", true, 600);
        assert_caller(&c, ERR_TOKEN, "", false);
        memset(longer, 'a', TOKEN_BYTES_MAX + 1);
        c.cookie = (struct str){longer, TOKEN_BYTES_MAX + 1};
        assert_caller(&c, ERR_TOKEN, "", false);
    }
    free(longer);
}

static void
configured_claims_of_a_token_are_required(void **state)
{
    struct credentials c = request_of(ORIGIN_NONE, READING);
    struct config more = {0};

    (void)state;
    c.cookie = token_for("ann", false, 600);
    snprintf(more.jwt_audience, sizeof(more.jwt_audience), "chat");
    open_auth(AUTH_JWT, &more);
    assert_caller(&c, ERR_TOKEN, "", false);
    more = (struct config){0};
    snprintf(more.jwt_issuer, sizeof(more.jwt_issuer), "here");
    open_auth(AUTH_JWT, &more);
    assert_caller(&c, ERR_TOKEN, "", false);
    open_auth(AUTH_JWT, &(struct config){0});
    assert_caller(&c, ERR_OK, "ann", false);
}

static void
the_hosts_nginx_must_name_a_user(void **state)
{
    static const char *const bad[] = {"a b",   "a-b", "a@b.example", "abcdefghijklmnopqrstu", "\xc3\xa9",
                                      "ann\n", "-"};
    struct credentials c = request_of(ORIGIN_NONE, READING);

    (void)state;
    open_auth(AUTH_PROXY, &(struct config){0});
    c.remote_user = str_c("");
    assert_caller(&c, ERR_CREDENTIALS_MISSING, "", false);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        c.remote_user = str_c(bad[i]);
        assert_caller(&c, ERR_CALLER_NAME, "", false);
    }
}

static void
administrators_are_listed_or_say_so_in_their_token(void **state)
{
    static const struct {
        const char *list;
        const char *admins; /* of ann, bob, carol, an, annbob, in this order */
    } cases[] = {
        {"", "-----"},
        {"ann", "+----"},
        {"ann, bob  carol", "+++--"},
        {" ,, ann\t,bob,", "++---"},
        {"carol,ann", "+-+--"},
        {"annbob", "----+"},
        {"Ann BOB", "-----"},
        {"an", "---+-"},
        {"ann;bob", "-----"},
        {",", "-----"},
        {"ann ann", "+----"},
    };
    static const char *const names[] = {"ann", "bob", "carol", "an", "annbob"};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config more = {0};

        snprintf(more.admins, sizeof(more.admins), "%s", cases[i].list);
        for (size_t n = 0; n < 5; n++) {
            struct credentials c = request_of(ORIGIN_NONE, READING);

            open_auth(AUTH_PROXY, &more);
            c.remote_user = str_c(names[n]);
            assert_caller(&c, ERR_OK, names[n], cases[i].admins[n] == '+');
            open_auth(AUTH_JWT, &more);
            c.authorization = bearer(token_for(names[n], false, 600));
            assert_caller(&c, ERR_OK, names[n], cases[i].admins[n] == '+');
            c.authorization = bearer(token_for(names[n], true, 600));
            assert_caller(&c, ERR_OK, names[n], true);
        }
    }
}

/* --- none */

/* Addresses that a request arrived at, and whether each is a loopback address. */
static const struct {
    const char *address;
    bool loopback;
} server_addresses[] = {
    {"127.0.0.1", true},
    {"127.0.0.2", true},
    {"127.255.255.254", true},
    {"::1", true},
    {"unix:", true},
    {"unix:/run/x", true},
    {"::ffff:127.0.0.1", true},
    {"", false},
    {"10.0.0.1", false},
    {"0.0.0.0", false},
    {"192.168.127.1", false},
    {"1270.0.0.1", false},
    {"::", false},
    {"::2", false},
    {"::11", false},
    {"fe80::1", false},
    {"::ffff:10.0.0.1", false},
    {"2001:db8::1", false},
    {"128.0.0.1", false},
    {"12", false},
    {"127", false},
    {"::ffff:", false},
    {"localhost", false},
    {"unix", false},
};

static void
assert_served_by_mode_none(const struct config *settings, const struct credentials *c, enum err expected)
{
    struct caller caller;

    open_auth(AUTH_NONE, settings);
    assert_int_equal(auth_identify(auth, c, &arena, &caller), expected);
    assert_true(caller.name.p == NULL && !caller.admin);
}

static void
mode_none_serves_only_loopback_if_set_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(server_addresses) / sizeof(server_addresses[0]); i++)
        for (int r = 0; r < REQUESTS; r++)
            for (size_t o = 0; o < 5; o++) {
                struct credentials c = request_of(origins[o], (enum request)r);
                enum err served = r == SOCKET && origins[o] == ORIGIN_UNLISTED ? ERR_ORIGIN : ERR_OK;
                enum err outside = served == ERR_OK ? ERR_LOOPBACK_ONLY : served;

                c.server_address = str_c(server_addresses[i].address);
                c.remote_user = str_c("ann");
                c.authorization = str_c("Bearer x");
                assert_served_by_mode_none(&(struct config){.loopback_only = 1}, &c,
                                           server_addresses[i].loopback ? served : outside);
                assert_served_by_mode_none(&(struct config){.insecure_public = 1}, &c, served);
            }
}

static void
mode_none_refuses_an_absent_server_address(void **state)
{
    (void)state;
    open_auth(AUTH_NONE, &(struct config){.loopback_only = 1});
    assert_caller(&(struct credentials){.safe = true}, ERR_LOOPBACK_ONLY, "", false);
}

static void
the_challenge_names_the_scheme(void **state)
{
    (void)state;
    open_auth(AUTH_JWT, &(struct config){0});
    assert_string_equal(auth_challenge(auth), "Bearer realm=\"imd\"");
    open_auth(AUTH_PROXY, &(struct config){0});
    assert_string_equal(auth_challenge(auth), "Site realm=\"imd\"");
}

/* --- starting */

static enum err
check(const struct config *given, char *message, size_t size)
{
    message[0] = '\0';
    return auth_check(given, message, size);
}

static void
imd_does_not_start_unprotected_without_a_setting(void **state)
{
    char message[1024];

    (void)state;
    for (int bits = 0; bits < 4; bits++)
        for (int mode = AUTH_NONE; mode <= AUTH_PROXY; mode++) {
            struct config given = {.auth = mode, .loopback_only = bits & 1, .insecure_public = bits >> 1};
            bool refused = mode == AUTH_NONE && bits == 0;

            assert_int_equal(check(&given, message, sizeof(message)), refused ? ERR_CONFIG : ERR_OK);
            assert_int_equal(message[0] != '\0', refused);
            if (!refused)
                continue;
            assert_null(strchr(message, '\n'));
            assert_non_null(strstr(message, "auth = none"));
            assert_non_null(strstr(message, "auth = proxy"));
            assert_non_null(strstr(message, "auth = jwt"));
            assert_non_null(strstr(message, "loopback_only = yes"));
            assert_non_null(strstr(message, "insecure_public = yes"));
        }
}

static void
imd_does_not_start_without_a_key(void **state)
{
    struct config given = {.auth = AUTH_JWT, .loopback_only = 1, .insecure_public = 1};
    char message[1024];

    (void)state;
    snprintf(given.jwt_keys, sizeof(given.jwt_keys), "%s", directory);
    assert_int_equal(check(&given, message, sizeof(message)), ERR_OK);
    assert_int_equal(chmod(key_path, 0604), 0);
    assert_int_equal(check(&given, message, sizeof(message)), ERR_CONFIG);
    assert_non_null(strstr(message, key_path));
    assert_int_equal(chmod(key_path, 0600), 0);
    snprintf(given.jwt_keys, sizeof(given.jwt_keys), "/nowhere/keys");
    assert_int_equal(check(&given, message, sizeof(message)), ERR_CONFIG);
    assert_non_null(strstr(message, "/nowhere/keys"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, close_auth)
        TEST(each_credential_counts_where_it_may),
        TEST(the_hosts_nginx_is_trusted_for_allowed_origins),
        TEST(a_header_wins_over_a_cookie_and_a_cookie_over_the_address),
        TEST(the_scheme_bearer_is_case_insensitive),
        TEST(cached_tokens_are_verified_like_new_ones),
        TEST(configured_claims_of_a_token_are_required),
        TEST(the_hosts_nginx_must_name_a_user),
        TEST(administrators_are_listed_or_say_so_in_their_token),
        TEST(mode_none_serves_only_loopback_if_set_so),
        TEST(mode_none_refuses_an_absent_server_address),
        TEST(the_challenge_names_the_scheme),
        TEST(imd_does_not_start_unprotected_without_a_setting),
        TEST(imd_does_not_start_without_a_key),
#undef TEST
    };

    return cmocka_run_group_tests(tests, make_key, remove_key);
}
