/* pem.h - keys as operators have them: files in PEM, made by libcrypto. */
#ifndef IMD_TESTS_UNIT_PEM_H
#define IMD_TESTS_UNIT_PEM_H

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include "support.h"

/* Returns one half of a key, to be freed. */
static inline char *
pem_of(EVP_PKEY *pkey, bool private_half)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    char *text;
    long n;

    assert_non_null(pkey);
    assert_non_null(bio);
    if (private_half)
        assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    else
        assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
    n = BIO_get_mem_data(bio, &bytes);
    text = strndup(bytes, (size_t)n);
    assert_non_null(text);
    BIO_free(bio);
    return text;
}

#endif
