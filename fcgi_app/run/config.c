/*
 * config.c - see config.h. One table says what can be set; the parser, the checks and --help follow it.
 * Must not know what a setting is used for.
 */
#include "run/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/str.h"

enum kind { KIND_PATH, KIND_TEXT, KIND_INT, KIND_OCTAL, KIND_YES, KIND_ON, KIND_MODE, KIND_JOIN, KIND_LEVEL };

struct setting {
    const char *key;
    enum kind kind;
    size_t offset; /* in struct config */
    int64_t min, max;
    const char *fallback; /* the default, as one would write it */
    const char *help;
};

/* Of kinds that are one of some words: these, by value; NULL ends them. */
#define WORDS_MAX 5
static const char *const words[][WORDS_MAX] = {
    [KIND_YES] = {"no", "yes", NULL},
    [KIND_ON] = {"off", "on", NULL},
    [KIND_MODE] = {"none", "proxy", "jwt", NULL},
    [KIND_JOIN] = {"by_mode", "open", "invite", NULL},
    [KIND_LEVEL] = {"debug", "info", "warning", "error", NULL},
};

#define AT(member) offsetof(struct config, member)

static const struct setting settings[] = {
    {"database", KIND_PATH, AT(database), 0, 0, "/var/lib/imd/imd.db",
     "the SQLite database; created if missing"},
    {"socket", KIND_PATH, AT(socket), 0, 0, "/run/imd/imd.sock",
     "the FastCGI socket that nginx passes requests to; ignored where systemd or a FastCGI manager hands one "
     "over"},
    {"socket_mode", KIND_OCTAL, AT(socket_mode), 0, 0777, "0660", "permissions of that socket, in octal"},
    {"push_socket", KIND_PATH, AT(push_socket), 0, 0, "/run/imd/push.sock",
     "nginx's private publisher, as imd-push.conf names it"},
    {"processes", KIND_INT, AT(processes), 1, 64, "2", "worker processes"},
    {"threads", KIND_INT, AT(threads), 1, 256, "32", "threads of each worker: requests in hand at once"},
    {"readers", KIND_INT, AT(readers), 1, 256, "2",
     "threads of each worker that compute at once, each with a connection for reading; the others wait for "
     "commits or for their turn. About one for each processor"},
    {"content_bytes_max", KIND_INT, AT(content_bytes_max), 1, 65536, "65536",
     "longest message, in bytes of UTF-8"},
    {"drain_ms", KIND_INT, AT(drain_ms), 100, 600000, "10000",
     "how long a stopping worker may take to answer what it has in hand"},
    {"auth", KIND_MODE, AT(auth), 0, 0, "none",
     "how imd knows who is calling: none (whoever they say they are), proxy (whoever your nginx says: "
     "$imd_user), "
     "jwt (whoever a signed token says)"},
    {"loopback_only", KIND_YES, AT(loopback_only), 0, 0, "no",
     "with auth = none: serve only what reached nginx at a loopback address"},
    {"insecure_public", KIND_YES, AT(insecure_public), 0, 0, "no",
     "with auth = none: let everybody who reaches nginx be whoever they say they are"},
    {"admins", KIND_TEXT, AT(admins), 0, 0, "",
     "callers of these names may do anything and act for anybody; separated by blanks or commas"},
    {"jwt_keys", KIND_PATH, AT(jwt_keys), 0, 0, "/etc/imd/keys",
     "with auth = jwt: a directory of keys: KID.hs256 (a secret), KID.rs256, KID.es256 (public keys, PEM)"},
    {"jwt_audience", KIND_TEXT, AT(jwt_audience), 0, 0, "", "tokens must be for this audience (aud)"},
    {"jwt_issuer", KIND_TEXT, AT(jwt_issuer), 0, 0, "", "tokens must be of this issuer (iss)"},
    {"jwt_admin_claim", KIND_TEXT, AT(jwt_admin_claim), 0, 0, "imd_admin",
     "the claim that makes an administrator of a token's caller where it is true; empty: none does"},
    {"default_join", KIND_JOIN, AT(default_join), 0, 0, "by_mode",
     "who may join a group that is created without `join`: open (anybody), invite (whom a member adds), or "
     "by_mode (open with auth = none, else invite)"},
    {"user_rate", KIND_INT, AT(user_rate), 1, 1000000, "20",
     "requests a second of one user (auth = none: of one address), where nginx says that there are limits; "
     "an "
     "administrator has none"},
    {"user_burst", KIND_INT, AT(user_burst), 1, 1000000, "200", "and so many at once"},
    {"silence", KIND_ON, AT(silence), 0, 0, "on",
     "publish only to users who may be listening; off where anything but this imd grants subscriptions to "
     "the "
     "same nchan"},
    {"user", KIND_TEXT, AT(user), 0, 0, "", "whom to become when started as root"},
    {"log_level", KIND_LEVEL, AT(log_level), 0, 0, "info",
     "debug (each request), info, warning or error; to stderr, one line for each event"},
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static const struct setting *
find(const char *key, size_t n)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (strlen(settings[i].key) == n) {
            size_t same = 0;

            /* A flag may be written with '-' for '_'. */
            while (same < n &&
                   (settings[i].key[same] == key[same] || (settings[i].key[same] == '_' && key[same] == '-')))
                same++;
            if (same == n)
                return &settings[i];
        }
    return NULL;
}

static bool
set_octal(int64_t *out, const char *value, int64_t max)
{
    int64_t n = 0;

    if (value[0] == '\0' || strlen(value) > 5)
        return false;
    for (; *value != '\0'; value++) {
        if (*value < '0' || *value > '7')
            return false;
        n = n * 8 + (*value - '0');
    }
    *out = n;
    return n <= max;
}

static bool
set_word(int64_t *out, enum kind kind, const char *value)
{
    for (int64_t i = 0; words[kind][i] != NULL; i++)
        if (strcmp(value, words[kind][i]) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static bool
set_text(char *out, const char *value)
{
    if (strlen(value) >= CONFIG_PATH_BYTES)
        return false;
    memcpy(out, value, strlen(value) + 1);
    return true;
}

static bool
set_path(char *out, const char *value)
{
    return value[0] != '\0' && set_text(out, value);
}

static void
list_words(enum kind kind, char *text, size_t size)
{
    const char *const *word = words[kind];
    size_t n = 0;

    for (int i = 0; word[i] != NULL && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s",
                              i == 0                ? ""
                              : word[i + 1] == NULL ? " or "
                                                    : ", ",
                              word[i]);
}

/* Says in `text` what the setting may be. */
static void
allowed(const struct setting *s, char *text, size_t size)
{
    switch (s->kind) {
    case KIND_PATH:
        snprintf(text, size, "a path of 1 to %d bytes", CONFIG_PATH_BYTES - 1);
        break;
    case KIND_TEXT:
        snprintf(text, size, "a text of at most %d bytes", CONFIG_PATH_BYTES - 1);
        break;
    case KIND_INT:
        snprintf(text, size, "a whole number from %lld to %lld", (long long)s->min, (long long)s->max);
        break;
    case KIND_OCTAL:
        snprintf(text, size, "octal digits up to 0777");
        break;
    case KIND_YES:
    case KIND_ON:
    case KIND_MODE:
    case KIND_JOIN:
    case KIND_LEVEL:
        list_words(s->kind, text, size);
        break;
    }
}

static bool
set(struct config *config, const struct setting *s, const char *value)
{
    char *place = (char *)config + s->offset;
    int64_t n = 0;
    bool ok = false;

    if (s->kind == KIND_PATH)
        return set_path(place, value);
    if (s->kind == KIND_TEXT)
        return set_text(place, value);
    if (s->kind == KIND_INT)
        ok = str_to_int(str_c(value), &n) && n >= s->min && n <= s->max;
    else if (s->kind == KIND_OCTAL)
        ok = set_octal(&n, value, s->max);
    else
        ok = set_word(&n, s->kind, value);
    if (ok)
        memcpy(place, &n, sizeof(n));
    return ok;
}

/* `where` is "FILE:LINE: " or "--". */
static enum err
assign(struct config *config, const char *where, const char *key, size_t key_n, const char *value,
       char *message, size_t size)
{
    const struct setting *s = find(key, key_n);
    char may[80];

    if (s == NULL) {
        snprintf(message, size, "%s%.*s: no such setting; imd --help lists them", where, (int)key_n, key);
        return ERR_CONFIG;
    }
    if (set(config, s, value))
        return ERR_OK;
    allowed(s, may, sizeof(may));
    snprintf(message, size, "%s%s: '%.100s' is not allowed; allowed is %s", where, s->key, value, may);
    return ERR_CONFIG;
}

/* Cuts blanks off both ends, in place. */
static char *
trim(char *s)
{
    size_t n;

    s += strspn(s, " \t\r\n");
    for (n = strlen(s); n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL; n--)
        s[n - 1] = '\0';
    return s;
}

static enum err
read_line(struct config *config, const char *path, int number, char *line, char *message, size_t size)
{
    char where[CONFIG_PATH_BYTES + 16];
    char *text = trim(line);
    char *equals;

    if (text[0] == '\0' || text[0] == '#')
        return ERR_OK;
    snprintf(where, sizeof(where), "%s:%d: ", path, number);
    equals = strchr(text, '=');
    if (equals == NULL) {
        snprintf(message, size, "%s'%.100s' is not of the form key = value", where, text);
        return ERR_CONFIG;
    }
    *equals = '\0';
    text = trim(text);
    return assign(config, where, text, strlen(text), trim(equals + 1), message, size);
}

static enum err
read_file(struct config *config, const char *path, char *message, size_t size)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t line_size = 0;
    ssize_t n;
    enum err err = ERR_OK;

    if (f == NULL) {
        snprintf(message, size, "%s: cannot be read: %s", path, strerror(errno));
        return ERR_CONFIG;
    }
    for (int number = 1; err == ERR_OK && (n = getline(&line, &line_size, f)) >= 0; number++) {
        if (strlen(line) == (size_t)n) {
            err = read_line(config, path, number, line, message, size);
        } else {
            snprintf(message, size, "%s:%d: a NUL byte is not allowed", path, number);
            err = ERR_CONFIG;
        }
    }
    if (err == ERR_OK && ferror(f)) {
        snprintf(message, size, "%s: cannot be read", path);
        err = ERR_CONFIG;
    }
    free(line);
    fclose(f);
    return err;
}

static bool
is_action(const char *flag, enum config_action *action)
{
    if (strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0)
        *action = CONFIG_HELP;
    else if (strcmp(flag, "--version") == 0)
        *action = CONFIG_VERSION;
    else if (strcmp(flag, "--check") == 0)
        *action = CONFIG_CHECK;
    else
        return false;
    return true;
}

/* "--insecure-public" is as good as "--insecure-public=yes". */
static bool
is_bare(const char *flag)
{
    const struct setting *s =
        strncmp(flag, "--", 2) == 0 && strchr(flag, '=') == NULL ? find(flag + 2, strlen(flag + 2)) : NULL;

    return s != NULL && s->kind == KIND_YES;
}

/* Finds --config=FILE and what is asked for; refuses what is no flag. */
static enum err
scan_flags(struct config *config, int argc, char **argv, enum config_action *action, char *message,
           size_t size)
{
    for (int i = 1; i < argc; i++) {
        if (is_action(argv[i], action) || is_bare(argv[i]))
            continue;
        if (strncmp(argv[i], "--", 2) != 0 || strchr(argv[i], '=') == NULL) {
            snprintf(message, size, "%.100s: not of the form --key=value; imd --help lists them", argv[i]);
            return ERR_CONFIG;
        }
        if (strncmp(argv[i], "--config=", 9) == 0 && !set_path(config->file, argv[i] + 9)) {
            snprintf(message, size, "--config: allowed is a path of 1 to %d bytes", CONFIG_PATH_BYTES - 1);
            return ERR_CONFIG;
        }
    }
    return ERR_OK;
}

enum err
config_read(struct config *config, int argc, char **argv, enum config_action *action, char *message,
            size_t size)
{
    enum err err;

    *config = (struct config){0};
    *action = CONFIG_RUN;
    for (size_t i = 0; i < SETTINGS; i++)
        set(config, &settings[i], settings[i].fallback);
    err = scan_flags(config, argc, argv, action, message, size);
    if (err != ERR_OK || *action == CONFIG_HELP || *action == CONFIG_VERSION)
        return err;
    if (config->file[0] != '\0')
        err = read_file(config, config->file, message, size);
    for (int i = 1; err == ERR_OK && i < argc; i++) {
        const char *equals = strchr(argv[i], '=');

        if (equals != NULL && strncmp(argv[i], "--config=", 9) != 0)
            err =
                assign(config, "--", argv[i] + 2, (size_t)(equals - argv[i] - 2), equals + 1, message, size);
        if (is_bare(argv[i]))
            err = assign(config, "--", argv[i] + 2, strlen(argv[i] + 2), "yes", message, size);
    }
    return err;
}

bool
config_default_invite_only(const struct config *config)
{
    if (config->default_join == JOIN_DEFAULT_BY_MODE)
        return config->auth != AUTH_NONE;
    return config->default_join == JOIN_DEFAULT_INVITE;
}

void
config_help(void)
{
    printf("imd - instant messaging for the nginx that is already there\n\n"
           "usage: imd [--config=FILE] [--KEY=VALUE ...]\n\n"
           "  --config=FILE   a file of `key = value` lines; '#' begins a comment line. Flags win over it.\n"
           "  --check         read the settings, say what is wrong with them, and end\n"
           "  --version       print the version and end\n"
           "  --help          print this and end\n\n"
           "keys (the default in brackets):\n");
    for (size_t i = 0; i < SETTINGS; i++) {
        char may[80];

        allowed(&settings[i], may, sizeof(may));
        printf("  %s [%s]\n      %s\n      %s\n", settings[i].key, settings[i].fallback, settings[i].help,
               may);
    }
    printf(
        "\nsignals: TERM and INT answer what is in hand and end; HUP reads the settings again and replaces\n"
        "the workers one by one without failing a request (database, socket and push_socket stay).\n");
}
