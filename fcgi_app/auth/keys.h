/*
 * keys.h - the keys that tokens are signed with, from files.
 *
 * A directory holds them: KID.hs256 (a secret), KID.rs256 or KID.es256 (a public key, PEM). So several hold
 * at once, which is how keys are rotated, and the key says which algorithm it is for, not the token.
 */
#ifndef IMD_AUTH_KEYS_H
#define IMD_AUTH_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

#define KEY_ID_BYTES_MAX 64

enum key_alg { KEY_HS256, KEY_RS256, KEY_ES256, KEY_ALG_COUNT };

struct key {
    char id[KEY_ID_BYTES_MAX + 1];
    enum key_alg alg;
    unsigned char *bytes; /* the secret, or PEM; a NUL follows */
    size_t n;             /* bytes, without the NUL */
};

struct keys {
    struct key *list; /* by id */
    size_t count;
};

/*
 * Reads all keys of a directory; files of other names are passed over, and so are dot files. ERR_CONFIG: a
 * key is unusable, or there is none; `message` (of `size` bytes) says which and why.
 */
enum err keys_read(struct keys *keys, const char *directory, char *message, size_t size);
/*
 * Reads one key by its file's path; to_sign: the private half of it. Nothing that signs may be everybody's to
 * read. ERR_CONFIG, message.
 */
enum err keys_read_one(struct key *key, const char *path, bool to_sign, char *message, size_t size);
void keys_clear(struct keys *keys);
void keys_clear_one(struct key *key);

#endif
