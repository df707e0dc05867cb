/*
 * token.c - fuzzes the verification of tokens with a fixed key of each algorithm: an accepted token
 * was signed by one of them, by the key's own algorithm, as libcrypto confirms without libjwt. It
 * names a user, it has one spelling only, and inspecting it shows only its parts. Each input is
 * also signed with the secret, so that texts which only a signer could write are parsed too.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <string.h>

#include "auth/token.h"
#include "model/names.h"
#include "wire/object.h"
#include "fuzz.h"

/* The keys that tests/fuzz/seeds/token/ was made with; the private halves are gone. */
static char secret[] = "imd's fuzz target knows this secret.";
static char rsa_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlTlhEkIWMgUERpwoShr1\n"
                        "zh0tzXUPYHl7S03lSEJznR/0JSOjMAjKgYqO4w/3cIHVCmPL/jtW5kyEH1I/SsRX\n"
                        "9KDylPU9j44P0oM4BVYhU7lMUXE9uhly3E89bE99k8E9mg9qZH+GE752cd2tJMRr\n"
                        "UVGchcK9omJe+IqSL7b3T+65Jgc1RHzC9Li7eyrbpQtAw1vWtZFhY9lmKItEC0Yu\n"
                        "5t9kgIdGVJGgE4Zbs9AuinaZzMCMJz18AiWd6R0BC7b0akJvZ4dAPqhRCeiclywO\n"
                        "7QYLMgfYqcey/uKPp1AXKJKVo6dc1pcy5SNb2t2t4ajBbGhJeltX3klGRvZiilrQ\n"
                        "yQIDAQAB\n"
                        "-----END PUBLIC KEY-----\n";
static char ec_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                       "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXL/fHln2lKCKs2Qn634pF77Ne2Ip\n"
                       "WkGD8Y1tEYAWvpZPDwOAc+RMoXWcygztYDiuIj1kQwjVaiGXRmOU0EY/vA==\n"
                       "-----END PUBLIC KEY-----\n";

static struct key list[] = {
    {"e", KEY_ES256, (unsigned char *)ec_pem, sizeof(ec_pem) - 1},
    {"h", KEY_HS256, (unsigned char *)secret, sizeof(secret) - 1},
    {"r", KEY_RS256, (unsigned char *)rsa_pem, sizeof(rsa_pem) - 1},
};
static const struct keys keys = {list, 3};

#define NOW_S INT64_C(1800000000)

/* Decodes the last part; 0: it is not base64url. */
static size_t
signature_bytes(const char *text, size_t n, unsigned char *bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned held = 0;
    size_t count = 0;
    int bits = 0;

    for (size_t i = 0; i < n; i++) {
        const char *digit = strchr(digits, text[i]);

        if (digit == NULL || text[i] == '\0')
            return 0;
        held = (held << 6 | (unsigned)(digit - digits)) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[count++] = (unsigned char)(held >> bits);
        }
    }
    /* The unused bits must be zero. */
    must(bits < 6 && (held & ((1u << bits) - 1)) == 0);
    return count;
}

static bool
signed_by_secret(const char *text, size_t n, const unsigned char *signature, size_t signature_n)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_n = 0;

    must(HMAC(EVP_sha256(), secret, sizeof(secret) - 1, (const unsigned char *)text, n, mac, &mac_n) != NULL);
    return signature_n == mac_n && memcmp(mac, signature, mac_n) == 0;
}

/* Tokens have r and s side by side; libcrypto needs them in DER. */
static int
to_der(const unsigned char *signature, unsigned char **der)
{
    ECDSA_SIG *parts = ECDSA_SIG_new();
    int n;

    must(parts != NULL &&
         ECDSA_SIG_set0(parts, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL)));
    n = i2d_ECDSA_SIG(parts, der);
    ECDSA_SIG_free(parts);
    must(n > 0);
    return n;
}

static bool
verifies(EVP_PKEY *pkey, const char *text, size_t n, const unsigned char *signature, size_t signature_n)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good;

    must(context != NULL && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, pkey) == 1);
    good = EVP_DigestVerify(context, signature, signature_n, (const unsigned char *)text, n) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static bool
signed_by_pem(const struct key *key, const char *text, size_t n, const unsigned char *signature,
              size_t signature_n)
{
    BIO *bio = BIO_new_mem_buf(key->bytes, (int)key->n);
    EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    unsigned char *der = NULL;
    bool good = false;

    must(pkey != NULL);
    if (key->alg == KEY_RS256) {
        good = verifies(pkey, text, n, signature, signature_n);
    } else if (signature_n == 64) {
        int der_n = to_der(signature, &der);

        good = verifies(pkey, text, n, der, (size_t)der_n);
    }
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    return good;
}

/* Returns the key that signed it; NULL: none. */
static const struct key *
signer_of(const char *text, size_t n)
{
    unsigned char signature[TOKEN_BYTES_MAX];
    size_t signed_n = n;
    size_t signature_n;

    while (signed_n > 0 && text[signed_n - 1] != '.')
        signed_n--;
    must(signed_n > 0);
    signature_n = signature_bytes(text + signed_n, n - signed_n, signature);
    signed_n--;
    for (size_t i = 0; i < keys.count; i++)
        if (list[i].alg == KEY_HS256 ? signed_by_secret(text, signed_n, signature, signature_n)
                                     : signed_by_pem(&list[i], text, signed_n, signature, signature_n))
            return &list[i];
    return NULL;
}

static void
check_accepted(struct str token, const struct token_claims *claims)
{
    static const char *const names[KEY_ALG_COUNT] = {"\"HS256\"", "\"RS256\"", "\"ES256\""};
    const struct key *signer = signer_of(token.p, token.n);
    char *header;
    char *body;

    must(token.n <= TOKEN_BYTES_MAX && signer != NULL);
    must(names_valid(str_c(claims->subject)) && claims->expires_s > NOW_S);
    must(token_look(token, &header, &body) == ERR_OK);
    must(strstr(header, names[signer->alg]) != NULL && strstr(body, claims->subject) != NULL);
    free(header);
    free(body);
}

static void
look(struct str token)
{
    char *header;
    char *claims;
    enum err err = token_look(token, &header, &claims);

    must(err == ERR_OK || err == ERR_TOKEN);
    must(err != ERR_OK || (header != NULL && claims != NULL));
    free(header);
    free(claims);
}

static void
check(struct str token)
{
    const struct token_rules rules = {&keys, "", "", "imd_admin"};
    const struct token_rules strict = {&keys, "chat", "here", "imd_admin"};
    struct token_claims claims;
    const char *why = NULL;
    enum err err = token_verify(&rules, token, NOW_S, &claims, &why);

    must(err == ERR_OK || err == ERR_TOKEN || err == ERR_TOKEN_EXPIRED);
    must(err == ERR_OK || why != NULL);
    if (err == ERR_OK)
        check_accepted(token, &claims);
    /* Demanding more claims accepts no more tokens. */
    must(token_verify(&strict, token, NOW_S, &claims, &why) != ERR_OK || err == ERR_OK);
    look(token);
}

/* Replaces the signature by that of the secret, over everything before the last dot. */
static void
check_signed(struct str token)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned char letters[2 * EVP_MAX_MD_SIZE];
    char text[TOKEN_BYTES_MAX + sizeof(letters)];
    size_t n = token.n;
    unsigned mac_n = 0;
    int letter_n;

    while (n > 0 && token.p[n - 1] != '.')
        n--;
    if (n == 0 || n > TOKEN_BYTES_MAX)
        return;
    memcpy(text, token.p, n);
    must(HMAC(EVP_sha256(), secret, sizeof(secret) - 1, (const unsigned char *)text, n - 1, mac, &mac_n) !=
         NULL);
    letter_n = EVP_EncodeBlock(letters, mac, (int)mac_n);
    for (int i = 0; i < letter_n && letters[i] != '='; i++)
        text[n++] = letters[i] == '+' ? '-' : letters[i] == '/' ? '_' : (char)letters[i];
    check((struct str){text, n});
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    object_setup();
    for (size_t i = 0; i < keys.count; i++)
        must(token_key_fault(&list[i], false) == NULL);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str token = {(const char *)data, size};

    check(token);
    check_signed(token);
    return 0;
}
