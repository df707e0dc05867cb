/*
 * cache.h - caches verified tokens, so that not every request costs a signature check.
 *
 * One per worker, shared by its threads. It stores digests, not tokens. So neither its memory nor
 * the time of a comparison reveals a token.
 */
#ifndef IMD_AUTH_CACHE_H
#define IMD_AUTH_CACHE_H

#include "auth/token.h"

#define CACHE_MS 60000 /* an entry's lifetime, which also ends when the token expires */

struct cache;

/* ERR_MEMORY. The caller frees the cache with cache_free(). */
enum err cache_new(struct cache **out);
/* NULL is allowed. */
void cache_free(struct cache *c);
/* Finds a token's claims. `now_ms` is UNIX time. False: not cached, or expired. */
bool cache_get(struct cache *c, const unsigned char digest[TOKEN_DIGEST_BYTES], int64_t now_ms,
               struct token_claims *claims);
/* Adds a token; may evict another one. */
void cache_put(struct cache *c, const unsigned char digest[TOKEN_DIGEST_BYTES], int64_t now_ms,
               const struct token_claims *claims);

#endif
