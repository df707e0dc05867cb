/*
 * Checks: keys come from files by their names. A weak, wrong, truncated or unreadable one is
 * refused with a message that names the file and the fault, and contains no byte of a key.
 */
#include "support.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "auth/keys.h"
#include "pem.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static char *rsa_public, *rsa_private, *rsa_short, *rsa_short_private;
static char *ec_public, *ec_private, *p384_public, *p384_private, *ed_public;
static char message[1024];

static void
both_halves(EVP_PKEY *pkey, char **public_half, char **private_half)
{
    *public_half = pem_of(pkey, false);
    if (private_half != NULL)
        *private_half = pem_of(pkey, true);
    EVP_PKEY_free(pkey);
}

static int
make_pems(void **state)
{
    support_group(state);
    both_halves(EVP_RSA_gen(2048), &rsa_public, &rsa_private);
    both_halves(EVP_RSA_gen(1024), &rsa_short, &rsa_short_private);
    both_halves(EVP_EC_gen("P-256"), &ec_public, &ec_private);
    both_halves(EVP_EC_gen("P-384"), &p384_public, &p384_private);
    both_halves(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), &ed_public, NULL);
    return 0;
}

static int
free_pems(void **state)
{
    char *all[] = {rsa_public, rsa_private, rsa_short,    rsa_short_private, ec_public,
                   ec_private, p384_public, p384_private, ed_public};

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        free(all[i]);
    return 0;
}

/* --- a directory for each test */

static int
open_directory(void **state)
{
    char *directory = strdup("/tmp/imd-unit-keys-XXXXXX");

    *state = directory;
    return directory == NULL || mkdtemp(directory) == NULL ? -1 : 0;
}

static const char *
path_of(const char *directory, const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void
put_bytes(const char *directory, const char *name, const char *bytes, size_t n)
{
    FILE *f = fopen(path_of(directory, name), "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path_of(directory, name), 0640), 0);
}

static void
put(const char *directory, const char *name, const char *text)
{
    put_bytes(directory, name, text, strlen(text));
}

static void
drop(const char *directory, const char *name)
{
    assert_int_equal(remove(path_of(directory, name)), 0);
}

static int
close_directory(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -r %s", (char *)*state);
    free(*state);
    return system(command);
}

static enum err
read_all(struct keys *keys, const char *directory)
{
    message[0] = '\0';
    return keys_read(keys, directory, message, sizeof(message));
}

/* The message names the file and the fault; nothing is left to be freed. */
static void
assert_refused(const char *directory, const char *name, const char *fault)
{
    struct keys keys;

    assert_int_equal(read_all(&keys, directory), ERR_CONFIG);
    assert_int_equal(keys.count, 0);
    assert_null(keys.list);
    if (strstr(message, name) == NULL || strstr(message, fault) == NULL)
        fail_msg("not '%s: %s': %s", name, fault, message);
    assert_null(strstr(message, "0123456789abcde"));
    assert_null(strstr(message, "BEGIN"));
}

/* Asserts that the only file of the directory is refused. */
static void
assert_refused_text(const char *directory, const char *name, const char *text, const char *fault)
{
    put(directory, name, text);
    assert_refused(directory, name, fault);
    drop(directory, name);
}

static void
keys_come_from_files_in_the_order_of_their_names(void **state)
{
    struct keys keys;

    put(*state, "b.rs256", rsa_public);
    put(*state, "2026-11.hs256", SECRET "\n");
    put(*state, "a.b_c@d.es256", ec_public);
    put(*state, "a.rs256.hs256", SECRET SECRET);
    assert_int_equal(read_all(&keys, *state), ERR_OK);
    assert_int_equal(keys.count, 4);
    assert_string_equal(keys.list[0].id, "2026-11");
    assert_int_equal(keys.list[0].alg, KEY_HS256);
    assert_int_equal(keys.list[0].n, 32);
    assert_string_equal((char *)keys.list[0].bytes, SECRET);
    assert_string_equal(keys.list[1].id, "a.b_c@d");
    assert_int_equal(keys.list[1].alg, KEY_ES256);
    assert_string_equal((char *)keys.list[1].bytes, ec_public);
    assert_string_equal(keys.list[2].id, "a.rs256");
    assert_int_equal(keys.list[2].alg, KEY_HS256);
    assert_string_equal(keys.list[3].id, "b");
    assert_int_equal(keys.list[3].alg, KEY_RS256);
    assert_int_equal(keys.list[3].n, strlen(rsa_public));
    keys_clear(&keys);
    assert_int_equal(keys.count, 0);
    keys_clear(&keys);
}

static void
files_of_other_names_are_passed_over(void **state)
{
    static const char *const others[] = {"README",  "a.pem",       "a.hs256~",   ".a.hs256",
                                         ".hs256",  "hs256",       "a.HS256",    "a.hs2560",
                                         "a.hs384", "a.rs256.bak", "a.hs256.swp"};
    char name[KEY_ID_BYTES_MAX + 16];
    struct keys keys;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        put(*state, others[i], "x");
    assert_refused(*state, *state, "the directory holds no key");
    memset(name, 'k', sizeof(name));
    snprintf(name + KEY_ID_BYTES_MAX + 1, 15, ".hs256");
    put(*state, name, SECRET);
    assert_refused(*state, *state, "the directory holds no key");
    snprintf(name + KEY_ID_BYTES_MAX, 16, ".hs256");
    put(*state, name, SECRET);
    assert_int_equal(read_all(&keys, *state), ERR_OK);
    assert_int_equal(keys.count, 1);
    assert_int_equal(strlen(keys.list[0].id), KEY_ID_BYTES_MAX);
    keys_clear(&keys);
}

static void
one_newline_at_the_end_is_no_part_of_a_secret(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        size_t kept;
    } cases[] = {
        {SECRET, 32, 32},        {SECRET "\n", 33, 32}, {SECRET "\n\n", 34, 33}, {SECRET " ", 33, 33},
        {SECRET "\r\n", 34, 33}, {"\n" SECRET, 33, 33}, {SECRET "\0", 33, 33},   {SECRET "\0\n", 34, 33},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keys keys;

        put_bytes(*state, "a.hs256", cases[i].text, cases[i].n);
        assert_int_equal(read_all(&keys, *state), ERR_OK);
        assert_int_equal(keys.list[0].n, cases[i].kept);
        assert_memory_equal(keys.list[0].bytes, cases[i].text, cases[i].kept);
        assert_int_equal(keys.list[0].bytes[cases[i].kept], 0);
        keys_clear(&keys);
    }
}

static void
a_short_secret_is_refused(void **state)
{
    char text[40] = SECRET;
    struct keys keys;

    for (size_t n = 0; n < 32; n++) {
        put_bytes(*state, "a.hs256", text, n);
        assert_refused(*state, "a.hs256", "is shorter than 32 bytes");
    }
    put(*state, "a.hs256", "0123456789abcdef0123456789abcde\n");
    assert_refused(*state, "a.hs256", "is shorter than 32 bytes");
    put_bytes(*state, "a.hs256", text, 32);
    assert_int_equal(read_all(&keys, *state), ERR_OK);
    keys_clear(&keys);
}

static void
a_secret_that_everybody_can_touch_is_refused(void **state)
{
    struct keys keys;

    put(*state, "a.hs256", SECRET);
    for (mode_t mode = 0600; mode <= 0677; mode++) {
        assert_int_equal(chmod(path_of(*state, "a.hs256"), mode), 0);
        if ((mode & 007) != 0) {
            assert_refused(*state, "a.hs256", "chmod o=");
            continue;
        }
        assert_int_equal(read_all(&keys, *state), ERR_OK);
        keys_clear(&keys);
    }
    drop(*state, "a.hs256");
    /* A public key may be readable by everybody. */
    put(*state, "a.rs256", rsa_public);
    assert_int_equal(chmod(path_of(*state, "a.rs256"), 0644), 0);
    assert_int_equal(read_all(&keys, *state), ERR_OK);
    keys_clear(&keys);
}

static void
a_public_key_is_of_its_kind_and_strong(void **state)
{
    static const char rsa_fault[] = "is not an RSA key of at least 2048 bits";
    static const char ec_fault[] = "is not a key on the curve P-256";
    static const char no_key[] = "is not a public key in PEM format";
    char *cut = strndup(rsa_public, strlen(rsa_public) / 2);

    assert_refused_text(*state, "a.rs256", rsa_short, rsa_fault);
    assert_refused_text(*state, "a.rs256", ec_public, rsa_fault);
    assert_refused_text(*state, "a.rs256", ed_public, rsa_fault);
    assert_refused_text(*state, "a.es256", rsa_public, ec_fault);
    assert_refused_text(*state, "a.es256", p384_public, ec_fault);
    assert_refused_text(*state, "a.es256", ed_public, ec_fault);
    assert_refused_text(*state, "a.rs256", SECRET, no_key);
    assert_refused_text(*state, "a.rs256", "", no_key);
    assert_refused_text(*state, "a.es256", "\n", no_key);
    assert_refused_text(*state, "a.rs256", cut, no_key);
    assert_refused_text(*state, "a.rs256", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                        no_key);
    free(cut);
}

/*
 * A server that only verifies needs no private key, so a private key is a mistake of the operator.
 */
static void
the_private_half_is_refused_where_the_public_is_needed(void **state)
{
    assert_refused_text(*state, "a.rs256", rsa_private, "is not a public key in PEM format");
    assert_refused_text(*state, "a.es256", ec_private, "is not a public key in PEM format");
}

static void
one_key_is_read_to_sign(void **state)
{
    struct key key;

    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"k.hs256", "k.rs256", "k.es256"};
        const char *texts[] = {SECRET, rsa_private, ec_private};

        put(*state, names[i], texts[i]);
        assert_int_equal(keys_read_one(&key, path_of(*state, names[i]), true, message, sizeof(message)),
                         ERR_OK);
        assert_string_equal(key.id, "k");
        assert_int_equal(key.alg, i);
        assert_string_equal((char *)key.bytes, texts[i]);
        keys_clear_one(&key);
        assert_null(key.bytes);
        /* Users who can read it can mint tokens. */
        assert_int_equal(chmod(path_of(*state, names[i]), 0644), 0);
        assert_int_equal(keys_read_one(&key, path_of(*state, names[i]), true, message, sizeof(message)),
                         ERR_CONFIG);
        assert_non_null(strstr(message, "chmod o="));
        assert_null(key.bytes);
    }
}

static void
a_key_that_cannot_sign_is_refused_for_signing(void **state)
{
    const struct {
        const char *name;
        const char *text;
        const char *fault;
    } cases[] = {
        {"k.rs256", rsa_public, "is not a private key in PEM format"},
        {"k.es256", ec_public, "is not a private key in PEM format"},
        {"k.rs256", ec_private, "is not an RSA key of at least 2048 bits"},
        {"k.rs256", rsa_short_private, "is not an RSA key of at least 2048 bits"},
        {"k.es256", rsa_private, "is not a key on the curve P-256"},
        {"k.es256", p384_private, "is not a key on the curve P-256"},
        {"k.hs256", "short", "is shorter than 32 bytes"},
        {"k.pem", rsa_private, "not named KID.hs256, KID.rs256 or KID.es256"},
        {"hs256", SECRET, "not named KID.hs256, KID.rs256 or KID.es256"},
    };
    struct key key;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = path_of(*state, cases[i].name);

        put(*state, cases[i].name, cases[i].text);
        assert_int_equal(keys_read_one(&key, path, true, message, sizeof(message)), ERR_CONFIG);
        assert_non_null(strstr(message, path));
        assert_non_null(strstr(message, cases[i].fault));
        assert_null(key.bytes);
    }
    assert_int_equal(keys_read_one(&key, "/nowhere/k.hs256", true, message, sizeof(message)), ERR_CONFIG);
    assert_non_null(strstr(message, "/nowhere/k.hs256: No such file"));
}

/* A private key with a passphrase must not make imd wait for input. */
static void
a_key_with_a_passphrase_does_not_wait_for_input(void **state)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    BIO *bio = BIO_new_file(path_of(*state, "k.es256"), "w");
    struct key key;

    assert_int_equal(
        PEM_write_bio_PrivateKey(bio, pkey, EVP_aes_128_cbc(), (const unsigned char *)"open", 4, NULL, NULL),
        1);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    assert_int_equal(chmod(path_of(*state, "k.es256"), 0600), 0);
    assert_int_equal(keys_read_one(&key, path_of(*state, "k.es256"), true, message, sizeof(message)),
                     ERR_CONFIG);
    assert_non_null(strstr(message, "is not a private key in PEM format"));
}

static void
a_directory_holds_keys(void **state)
{
    assert_refused(*state, *state, "the directory holds no key");
    assert_refused("/nowhere/keys", "/nowhere/keys", "No such file or directory");
    put(*state, "a.hs256", SECRET);
    assert_refused(path_of(*state, "a.hs256"), "a.hs256", "Not a directory");
}

static void
a_key_is_a_file_of_bounded_length(void **state)
{
    size_t n = 20000;
    char *bytes = malloc(n);
    struct keys keys;

    assert_non_null(bytes);
    memset(bytes, 's', n);
    put_bytes(*state, "a.hs256", bytes, n);
    assert_refused(*state, "a.hs256", "is too large");
    put_bytes(*state, "a.hs256", bytes, 16000);
    assert_int_equal(read_all(&keys, *state), ERR_OK);
    assert_int_equal(keys.list[0].n, 16000);
    keys_clear(&keys);
    free(bytes);
    drop(*state, "a.hs256");
    assert_int_equal(mkdir(path_of(*state, "a.hs256"), 0700), 0);
    assert_refused(*state, "a.hs256", "is not a file");
    drop(*state, "a.hs256");
    /* No process writes to it, so reading it would block forever. */
    assert_int_equal(mkfifo(path_of(*state, "a.hs256"), 0600), 0);
    assert_refused(*state, "a.hs256", "is not a file");
    drop(*state, "a.hs256");
    assert_int_equal(symlink("/dev/zero", path_of(*state, "a.hs256")), 0);
    assert_refused(*state, "a.hs256", "is not a file");
    drop(*state, "a.hs256");
    assert_int_equal(symlink("/nowhere", path_of(*state, "a.hs256")), 0);
    assert_refused(*state, "a.hs256", "No such file");
}

static void
a_link_to_a_key_is_a_key(void **state)
{
    struct keys keys;

    put(*state, "a.hs256", SECRET);
    assert_int_equal(symlink("a.hs256", path_of(*state, "b.hs256")), 0);
    assert_int_equal(read_all(&keys, *state), ERR_OK);
    assert_int_equal(keys.count, 2);
    keys_clear(&keys);
}

static void
one_bad_key_spoils_the_directory(void **state)
{
    put(*state, "a.hs256", SECRET);
    put(*state, "b.rs256", rsa_public);
    put(*state, "c.es256", "no key");
    put(*state, "d.hs256", SECRET);
    assert_refused(*state, "c.es256", "is not a public key in PEM format");
}

static void
a_directory_has_at_most_64_keys(void **state)
{
    char name[32];
    struct keys keys;

    for (int i = 0; i < 64; i++) {
        snprintf(name, sizeof(name), "k%02d.hs256", i);
        put(*state, name, SECRET);
    }
    assert_int_equal(read_all(&keys, *state), ERR_OK);
    assert_int_equal(keys.count, 64);
    keys_clear(&keys);
    put(*state, "one_more.hs256", SECRET);
    assert_refused(*state, *state, "too many keys");
}

static void
a_message_never_leaves_its_room(void **state)
{
    struct keys keys;
    char small[12];

    memset(small, '#', sizeof(small));
    assert_int_equal(keys_read(&keys, *state, small, 10), ERR_CONFIG);
    assert_string_equal(small, "jwt_keys:");
    assert_int_equal(small[10], '#');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_directory, close_directory)
        TEST(keys_come_from_files_in_the_order_of_their_names),
        TEST(files_of_other_names_are_passed_over),
        TEST(one_newline_at_the_end_is_no_part_of_a_secret),
        TEST(a_short_secret_is_refused),
        TEST(a_secret_that_everybody_can_touch_is_refused),
        TEST(a_public_key_is_of_its_kind_and_strong),
        TEST(the_private_half_is_refused_where_the_public_is_needed),
        TEST(one_key_is_read_to_sign),
        TEST(a_key_that_cannot_sign_is_refused_for_signing),
        TEST(a_key_with_a_passphrase_does_not_wait_for_input),
        TEST(a_directory_holds_keys),
        TEST(a_key_is_a_file_of_bounded_length),
        TEST(a_link_to_a_key_is_a_key),
        TEST(one_bad_key_spoils_the_directory),
        TEST(a_directory_has_at_most_64_keys),
        TEST(a_message_never_leaves_its_room),
#undef TEST
    };

    return cmocka_run_group_tests(tests, make_pems, free_pems);
}
