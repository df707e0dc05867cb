/*
 * token.h - signed tokens (JWT, RFC 7519): verify, mint, look into.
 *
 * token.c alone knows libjwt and libcrypto. What is refused: another algorithm than the key's, "none" above
 * all; what is not exactly three parts of base64url; what is longer than TOKEN_BYTES_MAX; extensions that a
 * token declares critical; claims of the wrong type.
 */
#ifndef IMD_AUTH_TOKEN_H
#define IMD_AUTH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include "auth/keys.h"
#include "model/model.h"
#include "base/str.h"

#define TOKEN_BYTES_MAX    4096
#define TOKEN_LEEWAY_S     60 /* by so much clocks may differ */
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
    /* The claim that makes an administrator where it is true; "": none does. Not `role`, `admin` or the like,
     * which tokens carry that were signed for something else. */
    const char *admin_claim;
};

/*
 * ERR_TOKEN, ERR_TOKEN_EXPIRED (and nothing else is wrong with it), ERR_MEMORY; *why is then a sentence for
 * whoever runs the service: it says more than a client should know.
 */
enum err token_verify(const struct token_rules *rules, struct str token, int64_t now_s,
                      struct token_claims *claims, const char **why);

/* What to mint. */
struct token_order {
    struct key *key; /* of an algorithm other than HS256: the private key */
    const char *subject;
    const char *admin_claim; /* "": not an administrator's; else the claim that says so */
    int64_t issued_s;        /* UNIX seconds */
    int64_t expires_s;       /* UNIX seconds; 0: never */
    const char *audience;    /* "": none */
    const char *issuer;      /* "": none */
};

/* The token, to be freed. ERR_CONFIG: the key cannot sign. */
enum err token_mint(const struct token_order *order, char **token);
/* Header and claims as JSON, unverified; each is to be freed, whatever comes back. ERR_TOKEN: it is none. */
enum err token_look(struct str token, char **header, char **claims);

/* Is it a claim that every token may carry (RFC 7519, 4.1)? */
bool token_claim_is_registered(const char *claim);
/* Is it a key of its algorithm, a strong one, and the half of it that is needed? NULL, or why not. */
const char *token_key_fault(const struct key *key, bool to_sign);
/* SHA-256. */
void token_digest(struct str token, unsigned char digest[TOKEN_DIGEST_BYTES]);

#endif
