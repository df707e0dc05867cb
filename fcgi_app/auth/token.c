/* token.c - see token.h. Must not know where keys and tokens come from. */
#include "auth/token.h"

#include <jwt.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>
#include "model/names.h"
#include "wire/object.h"

#define SECRET_BYTES_MIN 32 /* RFC 7518, 3.2: at least the size of the hash */
#define RSA_BITS_MIN     2048
#define HS256_TEXT_BYTES 43 /* 32 bytes in base64url */

static const struct {
    jwt_alg_t alg;
    const char *name; /* in a token's header; case matters */
} algs[KEY_ALG_COUNT] = {
    [KEY_HS256] = {JWT_ALG_HS256, "HS256"},
    [KEY_RS256] = {JWT_ALG_RS256, "RS256"},
    [KEY_ES256] = {JWT_ALG_ES256, "ES256"},
};

/* A token that is being verified. */
struct reading {
    char text[TOKEN_BYTES_MAX + 1];
    size_t header_n; /* bytes of the header */
    size_t signed_n; /* bytes of header, dot and claims */
    struct str alg;  /* as the header says */
    struct str kid;
    const char *why;
};

/* True if the unused bits of the last letter are 0, so that a signature has only one encoding. */
static bool
is_canonical(const char *part, size_t n)
{
    return n % 4 == 0 || (n % 4 == 2 && strchr("AQgw", part[n - 1]) != NULL) ||
           (n % 4 == 3 && strchr("AEIMQUYcgkosw048", part[n - 1]) != NULL);
}

/* Accepts three non-empty parts of base64url, without padding. libjwt accepts more. */
static bool
take_text(struct reading *r, struct str token)
{
    size_t dots = 0;
    size_t part_n = 0;

    if (token.n > TOKEN_BYTES_MAX)
        return false;
    for (size_t i = 0; i < token.n; i++) {
        char c = token.p[i];

        if (c == '.') {
            if (part_n == 0)
                return false;
            dots++;
            part_n = 0;
            r->header_n = dots == 1 ? i : r->header_n;
            r->signed_n = i;
        } else if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                   c == '_') {
            part_n++;
        } else {
            return false;
        }
    }
    if (dots != 2 || part_n == 0 || !is_canonical(token.p + token.n - part_n, part_n))
        return false;
    memcpy(r->text, token.p, token.n);
    r->text[token.n] = '\0';
    return true;
}

/*
 * Decodes one part and parses it as a JSON object. libjwt's parser will not do: of duplicate
 * members it takes the last, and it ignores what follows a NUL.
 */
static enum err
parse_part(const char *part, size_t n, struct object **out)
{
    char text[TOKEN_BYTES_MAX + 4];
    unsigned char bytes[TOKEN_BYTES_MAX + 4];
    size_t padded = (n + 3) / 4 * 4;
    int decoded;

    if (n % 4 == 1)
        return ERR_TOKEN;
    for (size_t i = 0; i < padded; i++) {
        text[i] = i < n ? part[i] : '=';
        if (text[i] == '-')
            text[i] = '+';
        if (text[i] == '_')
            text[i] = '/';
    }
    decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)padded);
    if (decoded < (int)(padded - n))
        return ERR_TOKEN;
    return object_parse((struct str){(const char *)bytes, (size_t)decoded - (padded - n)}, out);
}

/* Encodes bytes as base64url without padding; `text` has room for (n + 2) / 3 * 4 + 1. */
static void
to_base64url(const unsigned char *bytes, int n, char *text)
{
    int length = EVP_EncodeBlock((unsigned char *)text, bytes, n);

    while (length > 0 && text[length - 1] == '=')
        text[--length] = '\0';
    for (; length > 0; length--) {
        if (text[length - 1] == '+')
            text[length - 1] = '-';
        if (text[length - 1] == '/')
            text[length - 1] = '_';
    }
}

/*
 * Compares in constant time. libjwt once used strcmp (CVE-2024-25189), which reveals how many
 * characters are right, and an old libjwt may be installed.
 */
static bool
hmac_fits(const struct reading *r, const struct key *key)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    char text[4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1];
    const char *given = r->text + r->signed_n + 1;
    unsigned n = 0;

    if (strlen(given) != HS256_TEXT_BYTES ||
        HMAC(EVP_sha256(), key->bytes, (int)key->n, (const unsigned char *)r->text, r->signed_n, mac, &n) ==
            NULL)
        return false;
    to_base64url(mac, (int)n, text);
    return CRYPTO_memcmp(text, given, HS256_TEXT_BYTES) == 0;
}

static bool
signature_fits(const struct reading *r, const struct key *key)
{
    jwt_t *verified = NULL;
    bool fits;

    if (key->alg == KEY_HS256)
        return hmac_fits(r, key);
    fits = jwt_decode(&verified, r->text, key->bytes, (int)key->n) == 0 &&
           jwt_get_alg(verified) == algs[key->alg].alg;
    jwt_free(verified);
    ERR_clear_error();
    return fits;
}

/* True if the header names this key's algorithm, and no other key. */
static bool
header_fits(const struct reading *r, const struct key *key)
{
    return str_is(r->alg, algs[key->alg].name) && (r->kid.p == NULL || str_is(r->kid, key->id));
}

/* Checks the header; refuses every extension that it declares critical. */
static bool
read_header(struct reading *r, const struct object *header)
{
    struct str typ = str_c("JWT");
    struct str critical;

    return object_string(header, "alg", &r->alg) == OBJECT_OK &&
           object_string(header, "kid", &r->kid) != OBJECT_MISTYPED &&
           object_string(header, "typ", &typ) != OBJECT_MISTYPED && typ.n == 3 &&
           strncasecmp(typ.p, "JWT", typ.n) == 0 && object_string(header, "crit", &critical) == OBJECT_ABSENT;
}

static bool
is_signed(struct reading *r, const struct keys *keys)
{
    r->why = "no key has signed it";
    for (size_t i = 0; i < keys->count; i++)
        if (header_fits(r, &keys->list[i])) {
            if (signature_fits(r, &keys->list[i]))
                return true;
            r->why = "the signature is wrong";
        }
    return false;
}

/* True if `aud`, a string or a list of strings, names the audience. */
static bool
is_for(const struct object *claims, const char *audience)
{
    const struct object *list;
    struct arena arena;
    struct str one;
    size_t count;
    bool found = false;

    if (object_string(claims, "aud", &one) == OBJECT_OK)
        return str_is(one, audience);
    if (object_list(claims, "aud", &list, &count) != OBJECT_OK)
        return false;
    arena_init(&arena);
    for (size_t i = 0; i < count && !found; i++)
        found = object_list_string(list, i, &arena, &one) == OBJECT_OK && str_is(one, audience);
    arena_clear(&arena);
    return found;
}

/* Reads the user's name, and whether they are an administrator. */
static bool
read_subject(struct reading *r, const struct object *claims, const struct token_rules *rules,
             struct token_claims *out)
{
    struct str subject;

    r->why = "sub must be 1 to 20 letters, digits or _";
    if (object_string(claims, "sub", &subject) != OBJECT_OK || !names_valid(subject))
        return false;
    memcpy(out->subject, subject.p, subject.n);
    out->subject[subject.n] = '\0';
    out->admin = rules->admin_claim[0] != '\0' && object_is_true(claims, rules->admin_claim);
    return true;
}

static bool
read_origin(struct reading *r, const struct object *claims, const struct token_rules *rules)
{
    struct str issuer;

    r->why = "aud does not name the audience";
    if (rules->audience[0] != '\0' && !is_for(claims, rules->audience))
        return false;
    r->why = "iss is not the issuer";
    return rules->issuer[0] == '\0' ||
           (object_string(claims, "iss", &issuer) == OBJECT_OK && str_is(issuer, rules->issuer));
}

static enum err
read_times(struct reading *r, const struct object *claims, int64_t now_s, struct token_claims *out)
{
    int64_t not_before = 0;
    int64_t expires = INT64_MAX - TOKEN_LEEWAY_S;

    r->why = "exp and nbf must be whole numbers";
    if (object_int(claims, "nbf", &not_before) == OBJECT_MISTYPED ||
        object_int(claims, "exp", &expires) == OBJECT_MISTYPED || expires < 0)
        return ERR_TOKEN;
    r->why = "it is not valid yet";
    if (not_before > now_s + TOKEN_LEEWAY_S)
        return ERR_TOKEN;
    r->why = "it has expired";
    out->expires_s = expires > INT64_MAX - TOKEN_LEEWAY_S ? INT64_MAX : expires + TOKEN_LEEWAY_S;
    return now_s >= out->expires_s ? ERR_TOKEN_EXPIRED : ERR_OK;
}

static enum err
read_claims(struct reading *r, const struct token_rules *rules, int64_t now_s, struct token_claims *out)
{
    size_t from = r->header_n + 1;
    struct object *claims = NULL;
    enum err err = ERR_TOKEN;

    r->why = "its claims are not a JSON object";
    if (parse_part(r->text + from, r->signed_n - from, &claims) == ERR_OK &&
        read_subject(r, claims, rules, out) && read_origin(r, claims, rules))
        err = read_times(r, claims, now_s, out);
    object_free(claims);
    return err;
}

enum err
token_verify(const struct token_rules *rules, struct str token, int64_t now_s, struct token_claims *claims,
             const char **why)
{
    struct reading r = {.why = "it is not a signed token (three parts of base64url)"};
    struct object *header = NULL;
    enum err err = ERR_TOKEN;

    if (take_text(&r, token)) {
        r.why = "its header is not supported";
        if (parse_part(r.text, r.header_n, &header) == ERR_OK && read_header(&r, header) &&
            is_signed(&r, rules->keys))
            err = read_claims(&r, rules, now_s, claims);
    }
    object_free(header);
    *why = r.why;
    return err;
}

/* Adds the claims of an order. */
static int
add_claims(jwt_t *jwt, const struct token_order *o)
{
    int failed = jwt_add_grant(jwt, "sub", o->subject) | jwt_add_grant_int(jwt, "iat", (long)o->issued_s);

    if (o->admin_claim[0] != '\0')
        failed |= jwt_add_grant_bool(jwt, o->admin_claim, 1);
    if (o->expires_s != 0)
        failed |= jwt_add_grant_int(jwt, "exp", (long)o->expires_s);
    if (o->audience[0] != '\0')
        failed |= jwt_add_grant(jwt, "aud", o->audience);
    if (o->issuer[0] != '\0')
        failed |= jwt_add_grant(jwt, "iss", o->issuer);
    return failed;
}

bool
token_claim_is_registered(const char *claim)
{
    static const char *const names[] = {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(claim, names[i]) == 0)
            return true;
    return false;
}

enum err
token_mint(const struct token_order *order, char **token)
{
    jwt_t *jwt = NULL;
    struct key *key = order->key;

    *token = NULL;
    if (jwt_new(&jwt) == 0 && add_claims(jwt, order) == 0 && jwt_add_header(jwt, "kid", key->id) == 0 &&
        jwt_set_alg(jwt, algs[key->alg].alg, key->bytes, (int)key->n) == 0)
        *token = jwt_encode_str(jwt);
    jwt_free(jwt);
    ERR_clear_error();
    return *token == NULL ? ERR_CONFIG : ERR_OK;
}

enum err
token_look(struct str token, char **header, char **claims)
{
    struct reading r = {.why = NULL};
    jwt_t *jwt = NULL;

    *header = NULL;
    *claims = NULL;
    if (take_text(&r, token) && jwt_decode(&jwt, r.text, NULL, 0) == 0) {
        *header = jwt_get_headers_json(jwt, NULL);
        *claims = jwt_get_grants_json(jwt, NULL);
    }
    jwt_free(jwt);
    return *header == NULL || *claims == NULL ? ERR_TOKEN : ERR_OK;
}

static bool
is_strong_rsa(EVP_PKEY *pkey)
{
    return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA && EVP_PKEY_get_bits(pkey) >= RSA_BITS_MIN;
}

static bool
is_p256(EVP_PKEY *pkey)
{
    char group[32];

    return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 && strcmp(group, "prime256v1") == 0;
}

/* No terminal to ask at: a key with a passphrase is refused. */
static int
no_passphrase(char *text, int size, int writing, void *arg)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)arg;
    return 0;
}

static const char *
pem_fault(const struct key *key, bool to_sign)
{
    BIO *bio = BIO_new_mem_buf(key->bytes, (int)key->n);
    EVP_PKEY *pkey = NULL;
    const char *fault = NULL;

    if (bio != NULL && to_sign)
        pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    else if (bio != NULL)
        pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    if (pkey == NULL)
        fault = to_sign ? "is not a private key in PEM format" : "is not a public key in PEM format";
    else if (key->alg == KEY_RS256 && !is_strong_rsa(pkey))
        fault = "is not an RSA key of at least 2048 bits";
    else if (key->alg == KEY_ES256 && !is_p256(pkey))
        fault = "is not a key on the curve P-256";
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    ERR_clear_error();
    return fault;
}

const char *
token_key_fault(const struct key *key, bool to_sign)
{
    if (key->alg == KEY_HS256)
        return key->n < SECRET_BYTES_MIN ? "is shorter than 32 bytes" : NULL;
    return pem_fault(key, to_sign);
}

void
token_digest(struct str token, unsigned char digest[TOKEN_DIGEST_BYTES])
{
    SHA256((const unsigned char *)token.p, token.n, digest);
}
