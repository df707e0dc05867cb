/*
 * keys.h - reads the keys that tokens are signed with.
 *
 * They are files of one directory: KID.hs256 (a secret), KID.rs256 or KID.es256 (a public key,
 * PEM). Several are valid at once, so keys can be rotated. The key determines the algorithm, never
 * the token.
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
    unsigned char *bytes; /* the secret, or the PEM text; a NUL follows */
    size_t n;             /* length in bytes, without the NUL */
};

struct keys {
    struct key *list; /* sorted by file name */
    size_t count;
};

/*
 * Reads all keys of a directory; ignores dot files and files of other names. ERR_CONFIG: a key is
 * unusable, or there is none, and `message` (of `size` bytes) says which and why.
 */
enum err keys_read(struct keys *keys, const char *directory, char *message, size_t size);
/*
 * Reads one key file. to_sign: it must hold the private key. A file that can sign must not be
 * readable by everybody. ERR_CONFIG, with `message`.
 */
enum err keys_read_one(struct key *key, const char *path, bool to_sign, char *message, size_t size);
void keys_clear(struct keys *keys);
void keys_clear_one(struct key *key);

#endif
