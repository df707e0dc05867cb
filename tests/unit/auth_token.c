/*
 * Checks: a token of each algorithm is accepted, minted here or built by hand. Refused are: tokens
 * that no key signed by its own algorithm; tokens with one flipped bit; truncated, padded or
 * oversized ones; critical extensions; claims of a wrong type. Times count to the second, with the
 * leeway, and nothing overflows.
 */
#include "support.h"

#include <inttypes.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include "auth/token.h"
#include "pem.h"
#include "wire/object.h"

#define NOW_S    INT64_C(1700000000)
#define TEXT_MAX 8192
#define SECRET   "0123456789abcdef0123456789abcdef"
#define OTHER    "fedcba9876543210fedcba9876543210"

/* How to sign: with which of the keys below, by which method. */
enum method { BY_HMAC, BY_RSA, BY_EC, METHODS };

struct signer {
    enum method method;
    const void *secret; /* of BY_HMAC */
    size_t secret_n;
    EVP_PKEY *pkey;
    const EVP_MD *digest;
};

static EVP_PKEY *rsa;
static EVP_PKEY *ec;
static char *rsa_public;
static char *ec_public;
static char *private_pem[METHODS];
static struct key list[4]; /* two secrets, an RSA key and an EC key */
static struct keys keys = {list, 4};
static struct signer signers[METHODS];
static const char *const alg_names[METHODS] = {"HS256", "RS256", "ES256"};
static const char *const kids[METHODS] = {"h1", "r1", "e1"};
static const char *why;

static struct key
key_of(const char *id, enum key_alg alg, char *bytes)
{
    struct key key = {.alg = alg, .bytes = (unsigned char *)bytes, .n = strlen(bytes)};

    snprintf(key.id, sizeof(key.id), "%s", id);
    return key;
}

static int
make_keys(void **state)
{
    static char secret[] = SECRET;
    static char other[] = OTHER;

    support_group(state);
    object_setup();
    rsa = EVP_RSA_gen(2048);
    ec = EVP_EC_gen("P-256");
    rsa_public = pem_of(rsa, false);
    ec_public = pem_of(ec, false);
    private_pem[BY_HMAC] = strdup(SECRET);
    private_pem[BY_RSA] = pem_of(rsa, true);
    private_pem[BY_EC] = pem_of(ec, true);
    list[0] = key_of("e1", KEY_ES256, ec_public);
    list[1] = key_of("h1", KEY_HS256, secret);
    list[2] = key_of("h2", KEY_HS256, other);
    list[3] = key_of("r1", KEY_RS256, rsa_public);
    signers[BY_HMAC] = (struct signer){BY_HMAC, SECRET, strlen(SECRET), NULL, EVP_sha256()};
    signers[BY_RSA] = (struct signer){.method = BY_RSA, .pkey = rsa, .digest = EVP_sha256()};
    signers[BY_EC] = (struct signer){.method = BY_EC, .pkey = ec, .digest = EVP_sha256()};
    return 0;
}

static int
free_keys(void **state)
{
    (void)state;
    for (int i = 0; i < METHODS; i++)
        free(private_pem[i]);
    free(rsa_public);
    free(ec_public);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    return 0;
}

/* --- tokens built by hand, not by the code of token.c */

static size_t
add_base64url(char *text, size_t at, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned held = 0;
    int bits = 0;

    assert_true(at + n * 2 + 2 < TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        held = held << 8 | bytes[i];
        for (bits += 8; bits >= 6; bits -= 6)
            text[at++] = digits[held >> (bits - 6) & 63];
    }
    if (bits > 0)
        text[at++] = digits[held << (6 - bits) & 63];
    text[at] = '\0';
    return at;
}

/* Converts libcrypto's signature in DER to r and s, as in a token. */
static size_t
flatten(unsigned char *signature, size_t n)
{
    const unsigned char *der = signature;
    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &der, (long)n);

    assert_non_null(parts);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(parts), signature, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(parts), signature + 32, 32), 32);
    ECDSA_SIG_free(parts);
    return 64;
}

static size_t
sign(const struct signer *s, const char *text, size_t n, unsigned char *signature, size_t room)
{
    EVP_MD_CTX *context;
    unsigned hmac_n = 0;

    if (s->method == BY_HMAC) {
        assert_non_null(
            HMAC(s->digest, s->secret, (int)s->secret_n, (const unsigned char *)text, n, signature, &hmac_n));
        return hmac_n;
    }
    context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, s->digest, NULL, s->pkey), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &room, (const unsigned char *)text, n), 1);
    EVP_MD_CTX_free(context);
    return s->method == BY_EC ? flatten(signature, room) : room;
}

/* Returns a token of these two texts; valid until the next call. */
static char *
put_together(const struct signer *s, struct str header, struct str claims)
{
    static char text[TEXT_MAX];
    unsigned char signature[1024];
    size_t n = add_base64url(text, 0, (const unsigned char *)header.p, header.n);

    text[n++] = '.';
    n = add_base64url(text, n, (const unsigned char *)claims.p, claims.n);
    if (s != NULL) {
        size_t signature_n = sign(s, text, n, signature, sizeof(signature));

        text[n++] = '.';
        add_base64url(text, n, signature, signature_n);
    }
    return text;
}

static char *
token_of(const struct signer *s, const char *header, const char *claims)
{
    return put_together(s, str_c(header), str_c(claims));
}

/* Returns a token signed with the first secret. */
static char *
claiming(const char *claims)
{
    return token_of(&signers[BY_HMAC], "{\"alg\":\"HS256\"}", claims);
}

static char *
headed(const char *header)
{
    return token_of(&signers[BY_HMAC], header, "{\"sub\":\"ann\"}");
}

/* --- verifying them */

static enum err
verify_bytes(const char *token, size_t n, const struct token_rules *rules, int64_t now_s,
             struct token_claims *claims)
{
    /* On the heap and without a NUL, so that a sanitizer detects a read beyond its end. */
    char *exact = malloc(n > 0 ? n : 1);
    enum err err;

    assert_non_null(exact);
    memcpy(exact, token, n);
    why = NULL;
    err = token_verify(rules, (struct str){exact, n}, now_s, claims, &why);
    if (err != ERR_OK)
        assert_true(why != NULL && why[0] != '\0');
    free(exact);
    return err;
}

static enum err
verify_at(const char *token, int64_t now_s, struct token_claims *claims)
{
    const struct token_rules rules = {&keys, "", "", "imd_admin"};

    return verify_bytes(token, strlen(token), &rules, now_s, claims);
}

static enum err
verify(const char *token)
{
    struct token_claims claims;

    return verify_at(token, NOW_S, &claims);
}

static void
assert_good(const char *token, const char *subject, bool admin)
{
    struct token_claims claims = {.subject = "?"};

    if (verify_at(token, NOW_S, &claims) != ERR_OK)
        fail_msg("refused: %s: %s", token, why);
    assert_string_equal(claims.subject, subject);
    assert_int_equal(claims.admin, admin);
    assert_true(claims.expires_s > NOW_S);
}

static void
assert_refused(const char *token, const char *what)
{
    enum err err = verify(token);

    if (err != ERR_TOKEN)
        fail_msg("error %d, of %s: %s", err, what, token);
}

/* --- valid tokens */

static void
minted_tokens_are_accepted(void **state)
{
    (void)state;
    for (int m = 0; m < METHODS; m++) {
        struct key key = key_of(kids[m], (enum key_alg)m, private_pem[m]);
        struct token_order order = {&key, "ann_1", "", NOW_S, NOW_S + 60, "", ""};
        struct token_claims claims;
        char *token;

        assert_int_equal(token_mint(&order, &token), ERR_OK);
        assert_good(token, "ann_1", false);
        assert_int_equal(verify_at(token, NOW_S, &claims), ERR_OK);
        assert_int_equal(claims.expires_s, NOW_S + 60 + TOKEN_LEEWAY_S);
        free(token);
        order.admin_claim = "imd_admin";
        order.expires_s = 0;
        assert_int_equal(token_mint(&order, &token), ERR_OK);
        assert_good(token, "ann_1", true);
        assert_int_equal(verify_at(token, INT64_MAX / 2, &claims), ERR_OK);
        assert_int_equal(claims.expires_s, INT64_MAX);
        free(token);
    }
}

static void
minted_tokens_name_audience_and_issuer(void **state)
{
    static const char *const texts[] = {"", "chat", "https://a.example/"};
    struct key *key = &list[1];

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        struct token_order order = {key, "ann", "", NOW_S, NOW_S + 60, texts[i / 3], texts[i % 3]};
        struct token_claims claims;
        char *token;

        assert_int_equal(token_mint(&order, &token), ERR_OK);
        for (size_t j = 0; j < 9; j++) {
            struct token_rules rules = {&keys, texts[j / 3], texts[j % 3], "imd_admin"};
            bool fits = (j / 3 == 0 || j / 3 == i / 3) && (j % 3 == 0 || j % 3 == i % 3);

            assert_int_equal(verify_bytes(token, strlen(token), &rules, NOW_S, &claims),
                             fits ? ERR_OK : ERR_TOKEN);
        }
        free(token);
    }
}

static void
a_key_that_cannot_sign_mints_nothing(void **state)
{
    struct token_order order = {NULL, "ann", "", NOW_S, 0, "", ""};
    struct key wrong = key_of("x", KEY_RS256, private_pem[BY_EC]);
    struct key *cannot[] = {&list[0], &list[3], &wrong};

    (void)state;
    for (size_t i = 0; i < sizeof(cannot) / sizeof(cannot[0]); i++) {
        char *token = private_pem[0];

        order.key = cannot[i];
        assert_int_equal(token_mint(&order, &token), ERR_CONFIG);
        assert_null(token);
    }
}

static void
hand_made_tokens_are_accepted(void **state)
{
    (void)state;
    for (int m = 0; m < METHODS; m++) {
        static const char *const headers[] = {
            "{\"alg\":\"%s\"}",
            "{\"alg\":\"%s\",\"typ\":\"JWT\"}",
            "{\"typ\":\"JWT\",\"x\":[1,{\"alg\":\"none\"}],\"alg\":\"%s\"}",
            " { \"alg\" : \"%s\" , \"cty\":\"\" } ",
            "{\"kid\":\"%2$s\",\"alg\":\"%1$s\"}",
        };
        for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
            char header[256];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(header, sizeof(header), headers[i], alg_names[m], kids[m]);
#pragma GCC diagnostic pop
            assert_good(token_of(&signers[m], header, "{\"sub\":\"ann\"}"), "ann", false);
            assert_good(
                token_of(
                    &signers[m], header,
                    "{\"imd_admin\":true,\"\xc3\xa9\":null,\"exp\":1700000001,\"sub\":\"Zoe\",\"iat\":{}}"),
                "Zoe", true);
        }
    }
}

static void
each_key_of_the_algorithm_is_tried(void **state)
{
    struct signer second = {BY_HMAC, OTHER, strlen(OTHER), NULL, EVP_sha256()};

    (void)state;
    assert_good(token_of(&second, "{\"alg\":\"HS256\"}", "{\"sub\":\"ann\"}"), "ann", false);
    assert_good(token_of(&second, "{\"alg\":\"HS256\",\"kid\":\"h2\"}", "{\"sub\":\"ann\"}"), "ann", false);
    assert_refused(token_of(&second, "{\"alg\":\"HS256\",\"kid\":\"h1\"}", "{\"sub\":\"ann\"}"),
                   "kid of another");
}

/* --- signatures */

static void
algorithm_none_is_refused(void **state)
{
    static const char *const algs[] = {"\"none\"", "\"None\"", "\"NONE\"",    "\"nOnE\"", "\"\"",
                                       "null",     "0",        "[\"HS256\"]", "true",     "{}"};
    char header[128];
    char *token;

    (void)state;
    for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        snprintf(header, sizeof(header), "{\"alg\":%s}", algs[i]);
        assert_refused(headed(header), "no algorithm, but signed");
        token = token_of(NULL, header, "{\"sub\":\"ann\"}");
        assert_refused(token, "two parts");
        strcat(token, ".");
        assert_refused(token, "an empty signature");
        strcat(token, "AA");
        assert_refused(token, "any signature");
    }
    assert_refused(headed("{}"), "no alg");
    assert_refused(headed("{\"typ\":\"JWT\"}"), "no alg");
    assert_refused(headed("{\"Alg\":\"HS256\"}"), "another name for it");
}

static void
a_type_is_jwt_or_none(void **state)
{
    static const char *const good[] = {"\"JWT\"", "\"jwt\""};
    static const char *const bad[] = {"\"\"", "\"JOSE\"", "\"JWTS\"", "\"JW\"", "1", "null", "[\"JWT\"]"};
    char header[128];

    (void)state;
    for (int m = 0; m < METHODS; m++) {
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
            snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":%s}", alg_names[m], good[i]);
            assert_good(token_of(&signers[m], header, "{\"sub\":\"ann\"}"), "ann", false);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":%s}", alg_names[m], bad[i]);
            assert_refused(token_of(&signers[m], header, "{\"sub\":\"ann\"}"), header);
        }
    }
}

/* Every header with every way to sign, including a public key as a secret. */
static void
no_algorithm_is_taken_for_another(void **state)
{
    struct signer ways[6];
    size_t way_count = 0;

    (void)state;
    for (int m = 0; m < METHODS; m++)
        ways[way_count++] = signers[m];
    ways[way_count++] = (struct signer){BY_HMAC, rsa_public, strlen(rsa_public), NULL, EVP_sha256()};
    ways[way_count++] = (struct signer){BY_HMAC, ec_public, strlen(ec_public), NULL, EVP_sha256()};
    ways[way_count++] = (struct signer){BY_HMAC, "", 0, NULL, EVP_sha256()};
    for (int m = 0; m < METHODS; m++)
        for (int k = -1; k < METHODS; k++)
            for (size_t way = 0; way < way_count; way++) {
                char header[128];
                enum err wanted = (size_t)m == way && (k < 0 || k == m) ? ERR_OK : ERR_TOKEN;

                if (k < 0)
                    snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", alg_names[m]);
                else
                    snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}", alg_names[m],
                             kids[k]);
                if (verify(token_of(&ways[way], header, "{\"sub\":\"ann\"}")) != wanted)
                    fail_msg("%s, signed by %zu: %s", header, way, why);
            }
}

static void
other_algorithms_are_refused(void **state)
{
    static const char *const names[] = {"HS384",  "HS512", "hs256", "Hs256",   "HS256 ", " HS256", "HS2560",
                                        "HS25",   "RS384", "RS512", "rs256",   "ES384",  "ES512",  "es256",
                                        "ES256K", "PS256", "EdDSA", "A256GCM", "dir"};
    const EVP_MD *const digests[] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (int m = 0; m < METHODS; m++)
            for (size_t d = 0; d < 3; d++) {
                struct signer s = signers[m];
                char header[128];

                s.digest = digests[d];
                snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", names[i]);
                assert_refused(token_of(&s, header, "{\"sub\":\"ann\"}"), header);
                /* Another hash is refused under the right name too. */
                snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", alg_names[m]);
                assert_int_equal(verify(token_of(&s, header, "{\"sub\":\"ann\"}")),
                                 d == 0 ? ERR_OK : ERR_TOKEN);
            }
}

static void
signatures_of_unknown_keys_are_refused(void **state)
{
    static char weak[] = "0123456789abcdef0123456789abcdee";
    struct signer strangers[METHODS] = {
        {BY_HMAC, weak, strlen(weak), NULL, EVP_sha256()},
        {.method = BY_RSA, .pkey = EVP_RSA_gen(2048), .digest = EVP_sha256()},
        {.method = BY_EC, .pkey = EVP_EC_gen("P-256"), .digest = EVP_sha256()},
    };
    struct keys nobody = {NULL, 0};
    struct token_rules rules = {&nobody, "", "", "imd_admin"};
    struct token_claims claims;

    (void)state;
    for (int m = 0; m < METHODS; m++) {
        char header[128];
        char *token;

        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}", alg_names[m], kids[m]);
        assert_refused(token_of(&strangers[m], header, "{\"sub\":\"ann\"}"), "a stranger");
        token = token_of(&signers[m], header, "{\"sub\":\"ann\"}");
        assert_int_equal(verify_bytes(token, strlen(token), &rules, NOW_S, &claims), ERR_TOKEN);
        EVP_PKEY_free(strangers[m].pkey);
    }
}

static void
a_kid_is_a_text_and_names_the_key(void **state)
{
    static const char *const bad[] = {
        "\"h2\"",   "\"r1\"",       "\"e1\"",        "\"\"", "\"H1\"",     "\"h1 \"", "\"h\"",
        "\"./h1\"", "\"h1.hs256\"", "\"h1\\u0000\"", "0",    "1",          "null",    "true",
        "false",    "[]",           "[\"h1\"]",      "{}",   "{\"h1\":1}", "1.5",     "\"../../etc/passwd\""};
    char header[128];

    (void)state;
    assert_good(headed("{\"alg\":\"HS256\",\"kid\":\"h1\"}"), "ann", false);
    assert_good(headed("{\"alg\":\"HS256\",\"kid\":\"\\u0068\\u0031\"}"), "ann", false);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"kid\":%s}", bad[i]);
        assert_refused(headed(header), header);
    }
}

static void
unknown_critical_headers_are_refused(void **state)
{
    static const char *const values[] = {"[]",   "[\"exp\"]", "[\"b64\"]", "[\"alg\"]", "null",
                                         "\"\"", "\"exp\"",   "0",         "false",     "{}"};
    char header[128];

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"exp\":0,\"b64\":false,\"crit\":%s}",
                 values[i]);
        assert_refused(headed(header), header);
    }
}

/* --- the form of a token */

/* A token of each algorithm, with everything that header and claims may contain. */
static char *
full_token(int m)
{
    char header[128];

    snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}", alg_names[m],
             kids[m]);
    return token_of(&signers[m], header, "{\"sub\":\"ann\",\"imd_admin\":true,\"exp\":1700000009}");
}

static void
a_cut_token_is_refused(void **state)
{
    const struct token_rules rules = {&keys, "", "", "imd_admin"};
    struct token_claims claims;

    (void)state;
    for (int m = 0; m < METHODS; m++) {
        const char *token = full_token(m);
        size_t n = strlen(token);

        for (size_t cut = 0; cut < n; cut++) {
            assert_int_equal(verify_bytes(token, cut, &rules, NOW_S, &claims), ERR_TOKEN);
            assert_int_equal(verify_bytes(token + n - cut, cut, &rules, NOW_S, &claims), ERR_TOKEN);
        }
        assert_int_equal(verify_bytes(token, n, &rules, NOW_S, &claims), ERR_OK);
    }
}

static void
a_token_changed_in_one_bit_is_refused(void **state)
{
    const struct token_rules rules = {&keys, "", "", "imd_admin"};
    struct token_claims claims;

    (void)state;
    for (int m = 0; m < METHODS; m++) {
        char *token = full_token(m);
        size_t n = strlen(token);

        for (size_t bit = 0; bit < n * 8; bit++) {
            token[bit / 8] = (char)(token[bit / 8] ^ 1 << bit % 8);
            if (verify_bytes(token, n, &rules, NOW_S, &claims) != ERR_TOKEN)
                fail_msg("bit %zu of %zu bytes, %s: %s", bit, n, alg_names[m], token);
            token[bit / 8] = (char)(token[bit / 8] ^ 1 << bit % 8);
        }
        assert_int_equal(verify_bytes(token, n, &rules, NOW_S, &claims), ERR_OK);
    }
}

/* Unused bits of the last letter must be zero: otherwise one token would have several spellings. */
static void
a_signature_is_written_in_one_way(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    (void)state;
    for (int m = 0; m < METHODS; m++) {
        char *token = full_token(m);
        char *last = token + strlen(token) - 1;
        char right = *last;

        for (const char *c = digits; *c != '\0'; c++) {
            *last = *c;
            assert_int_equal(verify(token), *c == right ? ERR_OK : ERR_TOKEN);
        }
    }
}

/* Returns the number of letters for so many bytes. */
static size_t
letters(size_t n)
{
    return n / 3 * 4 + (n % 3 == 0 ? 0 : n % 3 + 1);
}

/* Returns a token of exactly so many bytes: header and claims are filled up with blanks. */
static const char *
token_of_size(int m, size_t wanted)
{
    static const size_t signature_letters[METHODS] = {43, 342, 86};
    static char claims[TEXT_MAX];
    char header[64];

    /* Not every number of letters encodes whole bytes, so one part alone would not do. */
    for (int blanks = 0; blanks < 3; blanks++) {
        int header_n = snprintf(header, sizeof(header), "{\"alg\":\"%s\"}%*s", alg_names[m], blanks, "");

        for (int n = 0; n < TOKEN_BYTES_MAX; n++) {
            int claims_n = snprintf(claims, sizeof(claims), "{\"sub\":\"ann\"%*s}", n, "");

            if (letters((size_t)header_n) + letters((size_t)claims_n) + signature_letters[m] + 2 == wanted)
                return token_of(&signers[m], header, claims);
        }
    }
    fail_msg("no token has %zu bytes", wanted);
    return NULL;
}

static void
a_token_has_at_most_so_many_bytes(void **state)
{
    (void)state;
    for (int m = 0; m < METHODS; m++)
        for (size_t wanted = TOKEN_BYTES_MAX - 4; wanted <= TOKEN_BYTES_MAX + 4; wanted++) {
            const char *token = token_of_size(m, wanted);

            assert_int_equal(strlen(token), wanted);
            assert_int_equal(verify(token), wanted <= TOKEN_BYTES_MAX ? ERR_OK : ERR_TOKEN);
        }
}

static void
a_token_is_three_parts_of_letters(void **state)
{
    static const char *const added[] = {"=", "==",   ".", " ",  "\n",  "\r\n", "\t", "+",  "/", "%", "\"",
                                        ",", "\x80", "A", "AA", "AAA", "AAAA", "..", ".A", "-", "_"};
    const struct token_rules rules = {&keys, "", "", "imd_admin"};
    struct token_claims claims;
    char changed[1024];

    (void)state;
    for (int m = 0; m < METHODS; m++) {
        const char *token = full_token(m);
        size_t ends[4] = {0, strcspn(token, "."), (size_t)(strrchr(token, '.') - token), strlen(token)};

        for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++)
            for (size_t e = 0; e < 4; e++) {
                snprintf(changed, sizeof(changed), "%.*s%s%s", (int)ends[e], token, added[i],
                         token + ends[e]);
                assert_refused(changed, added[i]);
            }
        /* A NUL inside, or at the end. */
        snprintf(changed, sizeof(changed), "%s.", token);
        changed[ends[3]] = '\0';
        assert_int_equal(verify_bytes(changed, ends[3] + 1, &rules, NOW_S, &claims), ERR_TOKEN);
        /* Without one of the parts. */
        snprintf(changed, sizeof(changed), "%s", token + ends[1]);
        assert_refused(changed, "no header");
        snprintf(changed, sizeof(changed), "%.*s.%s", (int)ends[1], token, token + ends[2]);
        assert_refused(changed, "no claims");
        snprintf(changed, sizeof(changed), "%.*s.", (int)ends[2], token);
        assert_refused(changed, "no signature");
    }
    assert_refused("", "nothing");
    assert_refused(".", "a dot");
    assert_refused("..", "dots");
    assert_refused("a.b.c", "letters");
    assert_int_equal(token_verify(&rules, (struct str){0}, NOW_S, &claims, &why), ERR_TOKEN);
}

static void
header_and_claims_are_one_object_each(void **state)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "null",
                                      "1",
                                      "\"x\"",
                                      "{",
                                      "{\"alg\":",
                                      "{}{}",
                                      "{\"a\":1,}",
                                      "{\"a\":\"\xff\"}",
                                      "{\"a\":\"\xed\xa0\x80\"}",
                                      "{\"a\":1e999}",
                                      "{\"a\":\"\\ud800\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(headed(bad[i]), "header");
        assert_refused(claiming(bad[i]), "claims");
    }
    assert_refused(claiming("{\"sub\":\"ann\"}x"), "claims and more");
    assert_refused(claiming("{\"sub\":\"ann\"}{\"sub\":\"bob\"}"), "claims and more");
    assert_refused(headed("{\"alg\":\"HS256\"}{}"), "header and more");
}

static void
duplicate_members_are_refused(void **state)
{
    (void)state;
    assert_refused(claiming("{\"sub\":\"ann\",\"sub\":\"bob\"}"), "sub");
    assert_refused(claiming("{\"sub\":\"ann\",\"sub\":\"ann\"}"), "sub");
    assert_refused(claiming("{\"sub\":\"ann\",\"imd_admin\":false,\"imd_admin\":true}"), "imd_admin");
    assert_refused(claiming("{\"sub\":\"ann\",\"exp\":1,\"exp\":1900000000}"), "exp");
    assert_refused(claiming("{\"sub\":\"ann\",\"x\":{\"y\":1,\"y\":2}}"), "inside another");
    assert_refused(headed("{\"alg\":\"none\",\"alg\":\"HS256\"}"), "alg");
    assert_refused(headed("{\"alg\":\"HS256\",\"kid\":\"h2\",\"kid\":\"h1\"}"), "kid");
}

/* --- claims */

static void
the_subject_is_a_user_name(void **state)
{
    static const char *const bad[] = {"\"\"",
                                      "\" ann\"",
                                      "\"ann \"",
                                      "\"a-b\"",
                                      "\"\xc3\xa9\"",
                                      "\"a@b.example\"",
                                      "0",
                                      "1",
                                      "null",
                                      "true",
                                      "[]",
                                      "[\"ann\"]",
                                      "{}",
                                      "1.5",
                                      "\"a.b\"",
                                      "\"abcdefghijklmnopqrstu\"",
                                      "\"ann\\u0000\"",
                                      "\"ann\\n\""};
    char claims[128];

    (void)state;
    assert_good(claiming("{\"sub\":\"a\"}"), "a", false);
    assert_good(claiming("{\"sub\":\"abcdefghijklmnopqrst\"}"), "abcdefghijklmnopqrst", false);
    assert_good(claiming("{\"sub\":\"\\u0061nn\"}"), "ann", false);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(claims, sizeof(claims), "{\"sub\":%s}", bad[i]);
        assert_refused(claiming(claims), claims);
    }
    assert_refused(claiming("{}"), "no sub");
    assert_refused(claiming("{\"Sub\":\"ann\",\"username\":\"ann\"}"), "no sub");
}

static void
only_a_true_admin_claim_makes_an_administrator(void **state)
{
    static const char *const others[] = {"false",  "null",         "1",   "\"true\"", "\"admin\"",
                                         "[true]", "{\"a\":true}", "1.0", "\"\""};
    char claims[128];

    (void)state;
    assert_good(claiming("{\"sub\":\"ann\",\"imd_admin\":true}"), "ann", true);
    assert_good(claiming("{\"sub\":\"ann\",\"role\":\"admin\"}"), "ann", false);
    assert_good(claiming("{\"sub\":\"ann\",\"role\":7,\"admin\":true,\"roles\":[\"admin\"]}"), "ann", false);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        snprintf(claims, sizeof(claims), "{\"sub\":\"ann\",\"imd_admin\":%s}", others[i]);
        assert_good(claiming(claims), "ann", false);
    }
}

/* Values of a claim, and whether each names "chat" as the audience and as the issuer. */
static const struct named {
    const char *value; /* NULL: no such claim */
    bool audience;
    bool issuer;
} named[] = {
    {NULL, false, false},
    {"\"chat\"", true, true},
    {"\"Chat\"", false, false},
    {"\"chat2\"", false, false},
    {"\"cha\"", false, false},
    {"\"\"", false, false},
    {"[\"chat\"]", true, false},
    {"[\"a\",\"chat\"]", true, false},
    {"[]", false, false},
    {"[\"a\",\"b\"]", false, false},
    {"[1,null,\"chat\"]", true, false},
    {"[1,{}]", false, false},
    {"[[\"chat\"]]", false, false},
    {"{\"chat\":1}", false, false},
    {"null", false, false},
    {"1", false, false},
    {"true", false, false},
    {"\"chat\\u0000\"", false, false},
};

static void
assert_named(const struct named *n, bool issuer)
{
    struct token_rules rules = {&keys, issuer ? "" : "chat", issuer ? "chat" : "", "imd_admin"};
    bool nul = n->value != NULL && strstr(n->value, "u0000") != NULL;
    struct token_claims out;
    char claims[128] = "{\"sub\":\"ann\"}";
    const char *token;

    if (n->value != NULL)
        snprintf(claims, sizeof(claims), "{\"sub\":\"ann\",\"%s\":%s}", issuer ? "iss" : "aud", n->value);
    token = claiming(claims);
    if ((verify_bytes(token, strlen(token), &rules, NOW_S, &out) == ERR_OK) !=
        (issuer ? n->issuer : n->audience))
        fail_msg("%s: %s", claims, why);
    /* If neither is configured, any value is accepted, but a NUL is not allowed in any text. */
    assert_int_equal(verify(token), nul ? ERR_TOKEN : ERR_OK);
}

static void
audience_and_issuer_must_be_named_if_configured(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        assert_named(&named[i], false);
        assert_named(&named[i], true);
    }
}

static void
times_are_whole_numbers(void **state)
{
    static const char *const bad[] = {"\"1900000000\"",
                                      "\"\"",
                                      "null",
                                      "true",
                                      "[]",
                                      "{}",
                                      "1900000000.0",
                                      "1.9e9",
                                      "[1]",
                                      "1E10",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999999",
                                      "0x7fffffff",
                                      "01"};
    char claims[128];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(claims, sizeof(claims), "{\"sub\":\"ann\",\"exp\":%s}", bad[i]);
        assert_refused(claiming(claims), claims);
        snprintf(claims, sizeof(claims), "{\"sub\":\"ann\",\"nbf\":%s}", bad[i]);
        assert_refused(claiming(claims), claims);
    }
}

/* Each number at each time, compared with the rule in wider arithmetic. */
static void
times_count_to_the_second(void **state)
{
    static const int64_t numbers[] = {INT64_MIN,
                                      -1,
                                      0,
                                      1,
                                      60,
                                      NOW_S - TOKEN_LEEWAY_S - 1,
                                      NOW_S - 60,
                                      NOW_S - TOKEN_LEEWAY_S + 1,
                                      NOW_S - 1,
                                      NOW_S,
                                      NOW_S + 1,
                                      NOW_S + TOKEN_LEEWAY_S - 1,
                                      NOW_S + 60,
                                      NOW_S + TOKEN_LEEWAY_S + 1,
                                      INT64_MAX - 61,
                                      INT64_MAX - 60,
                                      INT64_MAX - 59,
                                      INT64_MAX - 1,
                                      INT64_MAX};
    static const int64_t times[] = {0, 59, 60, 61, NOW_S - 1, NOW_S, NOW_S + 1};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        for (size_t t = 0; t < sizeof(times) / sizeof(times[0]); t++) {
            __extension__ __int128 end = (__int128)numbers[i] + TOKEN_LEEWAY_S;
            struct token_claims out;
            char claims[128];
            enum err wanted = times[t] >= end ? ERR_TOKEN_EXPIRED : ERR_OK;

            snprintf(claims, sizeof(claims), "{\"sub\":\"ann\",\"exp\":%" PRId64 "}", numbers[i]);
            assert_int_equal(verify_at(claiming(claims), times[t], &out),
                             numbers[i] < 0 ? ERR_TOKEN : wanted);
            if (numbers[i] >= 0 && wanted == ERR_OK)
                assert_int_equal(out.expires_s, end > INT64_MAX ? INT64_MAX : (int64_t)end);
            snprintf(claims, sizeof(claims), "{\"sub\":\"ann\",\"nbf\":%" PRId64 "}", numbers[i]);
            wanted = (__int128)numbers[i] - TOKEN_LEEWAY_S > times[t] ? ERR_TOKEN : ERR_OK;
            assert_int_equal(verify_at(claiming(claims), times[t], &out), wanted);
            if (wanted == ERR_OK)
                assert_int_equal(out.expires_s, INT64_MAX);
        }
}

static void
only_an_otherwise_valid_token_is_reported_as_expired(void **state)
{
    const struct token_rules rules = {&keys, "chat", "here", "imd_admin"};
    struct token_claims claims;
    struct signer stranger = {BY_HMAC, "x", 1, NULL, EVP_sha256()};
    const char *token;

    (void)state;
    assert_int_equal(verify(claiming("{\"sub\":\"ann\",\"exp\":1}")), ERR_TOKEN_EXPIRED);
    assert_refused(claiming("{\"sub\":\"a b\",\"exp\":1}"), "expired, no name");
    assert_refused(claiming("{\"exp\":1}"), "expired, no name");
    assert_refused(claiming("{\"sub\":\"ann\",\"exp\":1,\"nbf\":1800000000}"), "expired, not yet valid");
    assert_refused(token_of(&stranger, "{\"alg\":\"HS256\"}", "{\"sub\":\"ann\",\"exp\":1}"),
                   "expired, unsigned");
    token = claiming("{\"sub\":\"ann\",\"exp\":1,\"aud\":\"chat\"}");
    assert_int_equal(verify_bytes(token, strlen(token), &rules, NOW_S, &claims), ERR_TOKEN);
    token = claiming("{\"sub\":\"ann\",\"exp\":1,\"aud\":\"chat\",\"iss\":\"here\"}");
    assert_int_equal(verify_bytes(token, strlen(token), &rules, NOW_S, &claims), ERR_TOKEN_EXPIRED);
}

/* --- other than verifying */

static void
inspection_shows_header_and_claims(void **state)
{
    static const char *const none[] = {"", "a.b.c", "a.b", ".."};
    char *header;
    char *claims;

    (void)state;
    for (int m = 0; m < METHODS; m++) {
        char *token = full_token(m);

        /* Inspecting does not verify the signature. */
        token[strlen(token) - 3] = token[strlen(token) - 3] == 'A' ? 'B' : 'A';
        assert_int_equal(token_look(str_c(token), &header, &claims), ERR_OK);
        assert_non_null(strstr(header, alg_names[m]));
        assert_non_null(strstr(header, kids[m]));
        assert_non_null(strstr(claims, "\"ann\""));
        assert_non_null(strstr(claims, "1700000009"));
        free(header);
        free(claims);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_int_equal(token_look(str_c(none[i]), &header, &claims), ERR_TOKEN);
        free(header);
        free(claims);
    }
}

static void
a_digest_is_sha_256(void **state)
{
    static const unsigned char want[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                         0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                         0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    unsigned char digest[TOKEN_DIGEST_BYTES];

    (void)state;
    token_digest(str_c("abc"), digest);
    assert_memory_equal(digest, want, sizeof(want));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minted_tokens_are_accepted),
        cmocka_unit_test(minted_tokens_name_audience_and_issuer),
        cmocka_unit_test(a_key_that_cannot_sign_mints_nothing),
        cmocka_unit_test(hand_made_tokens_are_accepted),
        cmocka_unit_test(each_key_of_the_algorithm_is_tried),
        cmocka_unit_test(algorithm_none_is_refused),
        cmocka_unit_test(a_type_is_jwt_or_none),
        cmocka_unit_test(no_algorithm_is_taken_for_another),
        cmocka_unit_test(other_algorithms_are_refused),
        cmocka_unit_test(signatures_of_unknown_keys_are_refused),
        cmocka_unit_test(a_kid_is_a_text_and_names_the_key),
        cmocka_unit_test(unknown_critical_headers_are_refused),
        cmocka_unit_test(a_cut_token_is_refused),
        cmocka_unit_test(a_token_changed_in_one_bit_is_refused),
        cmocka_unit_test(a_signature_is_written_in_one_way),
        cmocka_unit_test(a_token_has_at_most_so_many_bytes),
        cmocka_unit_test(a_token_is_three_parts_of_letters),
        cmocka_unit_test(header_and_claims_are_one_object_each),
        cmocka_unit_test(duplicate_members_are_refused),
        cmocka_unit_test(the_subject_is_a_user_name),
        cmocka_unit_test(only_a_true_admin_claim_makes_an_administrator),
        cmocka_unit_test(audience_and_issuer_must_be_named_if_configured),
        cmocka_unit_test(times_are_whole_numbers),
        cmocka_unit_test(times_count_to_the_second),
        cmocka_unit_test(only_an_otherwise_valid_token_is_reported_as_expired),
        cmocka_unit_test(inspection_shows_header_and_claims),
        cmocka_unit_test(a_digest_is_sha_256),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
