/*
 * token.h - signed tokens (JWT, RFC 7519): verify, mint, inspect.
 *
 * Only token.c knows libjwt and libcrypto. It refuses a token with any algorithm but the key's
 * ("none" above all), one that is not exactly three parts of base64url, one longer than
 * TOKEN_BYTES_MAX, one that declares an extension critical, and one with a claim of the wrong type.
 */
#ifndef IMD_AUTH_TOKEN_H
#define IMD_AUTH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include "auth/keys.h"
#include "model/model.h"
#include "base/str.h"

#define TOKEN_BYTES_MAX    4096
#define TOKEN_LEEWAY_S     60 /* tolerated difference between clocks */
#define TOKEN_DIGEST_BYTES 32

struct token_claims {
    char subject[USERNAME_BYTES_MAX + 1];
    bool admin;
    int64_t expires_s; /* UNIX seconds, leeway included; INT64_MAX: never */
};

struct token_rules {
    const struct keys *keys;
    const char *audience; /* "": any */
    const char *issuer;   /* "": any */
    /*
     * The claim that makes an administrator if it is true; "": none does. Never a common one such
     * as `role` or `admin`, which tokens signed for other purposes carry.
     */
    const char *admin_claim;
};

/*
 * Verifies a token. ERR_TOKEN; ERR_TOKEN_EXPIRED: expired, but otherwise valid. On an error, *why
 * is a sentence for the operator; it says more than a client should know.
 */
enum err token_verify(const struct token_rules *rules, struct str token, int64_t now_s,
                      struct token_claims *claims, const char **why);

/* The token to mint. */
struct token_order {
    struct key *key; /* the secret (HS256) or the private key */
    const char *subject;
    const char *admin_claim; /* the claim that makes an administrator; "": not an administrator's token */
    int64_t issued_s;        /* UNIX seconds */
    int64_t expires_s;       /* UNIX seconds; 0: never */
    const char *audience;    /* "": none */
    const char *issuer;      /* "": none */
};

/* Returns a signed token, to be freed. ERR_CONFIG: the key cannot sign. */
enum err token_mint(const struct token_order *order, char **token);
/*
 * Returns header and claims as JSON, without verifying the token. Free both, even after an error.
 * ERR_TOKEN: it is not a token.
 */
enum err token_look(struct str token, char **header, char **claims);

/* True if RFC 7519, 4.1, gives the claim a meaning of its own. */
bool token_claim_is_registered(const char *claim);
/*
 * Returns NULL if the key fits its algorithm, is strong, and is the half that is needed; else a
 * sentence that says why not.
 */
const char *token_key_fault(const struct key *key, bool to_sign);
/* SHA-256 of the token. */
void token_digest(struct str token, unsigned char digest[TOKEN_DIGEST_BYTES]);

#endif
