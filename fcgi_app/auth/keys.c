/* keys.c - see keys.h. Must not know what a token is. */
#include "auth/keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "auth/token.h"

#define KEY_FILE_BYTES_MAX 16384
#define KEYS_MAX           64

static const char *const suffixes[KEY_ALG_COUNT] = {".hs256", ".rs256", ".es256"};

/*
 * Splits a file name: "2026-11.hs256" is the key 2026-11 for HS256. False: the file is not a key.
 */
static bool
parse_name(const char *name, struct key *key)
{
    size_t n = strlen(name);

    for (int alg = 0; alg < KEY_ALG_COUNT; alg++) {
        size_t id_n = n - strlen(suffixes[alg]);

        if (n <= strlen(suffixes[alg]) || strcmp(name + id_n, suffixes[alg]) != 0)
            continue;
        if (name[0] == '.' || id_n > KEY_ID_BYTES_MAX)
            return false;
        memcpy(key->id, name, id_n);
        key->id[id_n] = '\0';
        key->alg = (enum key_alg)alg;
        return true;
    }
    return false;
}

/* Reads the whole file. A newline at the end of a secret is dropped: editors add it. */
static bool
read_bytes(int fd, struct key *key)
{
    size_t n = 0;
    ssize_t got = 1;

    key->bytes = calloc(1, KEY_FILE_BYTES_MAX + 1);
    while (key->bytes != NULL && got > 0 && n < KEY_FILE_BYTES_MAX) {
        got = read(fd, key->bytes + n, KEY_FILE_BYTES_MAX - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (key->bytes == NULL || got != 0)
        return false;
    if (key->alg == KEY_HS256 && n > 0 && key->bytes[n - 1] == '\n')
        key->bytes[--n] = '\0';
    key->n = n;
    return true;
}

static const char *
read_open(int fd, struct key *key, bool to_sign)
{
    struct stat status;

    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return "is not a file";
    if ((key->alg == KEY_HS256 || to_sign) && (status.st_mode & 007) != 0)
        return "everybody can read it, and so mint tokens; run chmod o= on it";
    if (!read_bytes(fd, key))
        return "cannot be read, or is too large";
    return token_key_fault(key, to_sign);
}

enum err
keys_read_one(struct key *key, const char *path, bool to_sign, char *message, size_t size)
{
    const char *slash = strrchr(path, '/');
    const char *fault;
    int fd;

    *key = (struct key){.id = ""};
    if (!parse_name(slash == NULL ? path : slash + 1, key)) {
        snprintf(message, size, "%s: not named KID.hs256, KID.rs256 or KID.es256", path);
        return ERR_CONFIG;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        snprintf(message, size, "%s: %s", path, strerror(errno));
        return ERR_CONFIG;
    }
    fault = read_open(fd, key, to_sign);
    close(fd);
    if (fault == NULL)
        return ERR_OK;
    keys_clear_one(key);
    snprintf(message, size, "%s: %s", path, fault);
    return ERR_CONFIG;
}

static int
is_key(const struct dirent *entry)
{
    struct key key;

    return parse_name(entry->d_name, &key);
}

static const char *
count_fault(int count)
{
    if (count == 0)
        return "the directory holds no key (KID.hs256, KID.rs256 or KID.es256)";
    return "the directory holds too many keys";
}

enum err
keys_read(struct keys *keys, const char *directory, char *message, size_t size)
{
    struct dirent **names = NULL;
    int count = scandir(directory, &names, is_key, alphasort);
    enum err err = ERR_OK;

    *keys = (struct keys){0};
    if (count < 1 || count > KEYS_MAX) {
        snprintf(message, size, "jwt_keys: %s: %s", directory,
                 count < 0 ? strerror(errno) : count_fault(count));
        err = ERR_CONFIG;
    } else {
        keys->list = calloc((size_t)count, sizeof(*keys->list));
        err = keys->list == NULL ? ERR_MEMORY : ERR_OK;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/%s", directory, names[i]->d_name);
        free(names[i]);
        if (err == ERR_OK)
            err = keys_read_one(&keys->list[keys->count], path, false, message, size);
        if (err == ERR_OK)
            keys->count++;
    }
    free(names);
    if (err != ERR_OK)
        keys_clear(keys);
    return err;
}

void
keys_clear_one(struct key *key)
{
    if (key->bytes != NULL)
        explicit_bzero(key->bytes, key->n);
    free(key->bytes);
    key->bytes = NULL;
}

void
keys_clear(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        keys_clear_one(&keys->list[i]);
    free(keys->list);
    *keys = (struct keys){0};
}
