/*
 * cache.h - tokens that were verified a moment ago, so that each request does not cost a signature.
 *
 * One for each worker, for all its threads. It holds digests, not tokens, so that neither a look at memory
 * nor the time that a comparison takes tells one.
 */
#ifndef IMD_AUTH_CACHE_H
#define IMD_AUTH_CACHE_H

#include "auth/token.h"

#define CACHE_MS 60000 /* for so long, and never beyond a token's own end */

struct cache;

enum err cache_new(struct cache **out);
/* NULL is allowed. */
void cache_free(struct cache *c);
/* `now_ms` is UNIX milliseconds. False: not there, or no longer. */
bool cache_get(struct cache *c, const unsigned char digest[TOKEN_DIGEST_BYTES], int64_t now_ms,
               struct token_claims *claims);
/* Takes the place of another token where there is no other. */
void cache_put(struct cache *c, const unsigned char digest[TOKEN_DIGEST_BYTES], int64_t now_ms,
               const struct token_claims *claims);

#endif
