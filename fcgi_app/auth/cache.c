/* cache.c - see cache.h. Must not know what makes a token valid. */
#include "auth/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 1024

struct entry {
    unsigned char digest[TOKEN_DIGEST_BYTES];
    struct token_claims claims;
    int64_t put_ms;   /* if the clock is set back before this, the entry is not used */
    int64_t until_ms; /* 0: empty */
};

struct cache {
    pthread_mutex_t mutex;
    struct entry entries[PLACES];
};

enum err
cache_new(struct cache **out)
{
    struct cache *c = calloc(1, sizeof(*c));

    if (c == NULL || pthread_mutex_init(&c->mutex, NULL) != 0) {
        free(c);
        return ERR_MEMORY;
    }
    *out = c;
    return ERR_OK;
}

void
cache_free(struct cache *c)
{
    if (c == NULL)
        return;
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

/* Any bytes of a digest will do: all are evenly distributed. */
static struct entry *
place_of(struct cache *c, const unsigned char *digest)
{
    return &c->entries[(digest[0] | (unsigned)digest[1] << 8) % PLACES];
}

bool
cache_get(struct cache *c, const unsigned char digest[TOKEN_DIGEST_BYTES], int64_t now_ms,
          struct token_claims *claims)
{
    const struct entry *entry = place_of(c, digest);
    bool there;

    pthread_mutex_lock(&c->mutex);
    there = now_ms < entry->until_ms && now_ms >= entry->put_ms &&
            memcmp(entry->digest, digest, TOKEN_DIGEST_BYTES) == 0;
    if (there)
        *claims = entry->claims;
    pthread_mutex_unlock(&c->mutex);
    return there;
}

void
cache_put(struct cache *c, const unsigned char digest[TOKEN_DIGEST_BYTES], int64_t now_ms,
          const struct token_claims *claims)
{
    struct entry *entry = place_of(c, digest);
    int64_t until_ms = now_ms + CACHE_MS;

    if (claims->expires_s <= until_ms / 1000)
        until_ms = claims->expires_s * 1000;
    pthread_mutex_lock(&c->mutex);
    memcpy(entry->digest, digest, TOKEN_DIGEST_BYTES);
    entry->claims = *claims;
    entry->put_ms = now_ms;
    entry->until_ms = until_ms;
    pthread_mutex_unlock(&c->mutex);
}
