/*
 * config.c - see config.h. One table holds each setting: its values, its default, its help, and
 * when a change takes effect. The parser, the checks, the reload and --help all read it. Must not
 * know what a setting is used for.
 */
#include "run/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/str.h"

enum kind {
    KIND_PATH,
    KIND_URI,
    KIND_TEXT,
    KIND_INT,
    KIND_OCTAL,
    KIND_YES,
    KIND_ON,
    KIND_MODE,
    KIND_JOIN,
    KIND_LEVEL
};

/* When a changed value takes effect. */
enum effect {
    RELOAD, /* at the next SIGHUP */
    RESTART /* at the next start: the master has used it already, or a process that a reload keeps has */
};

struct setting {
    const char *key;
    enum kind kind;
    enum effect effect;
    size_t offset; /* in struct config */
    int64_t min, max;
    const char *fallback; /* the default, as the file would have it */
    const char *help;
};

/*
 * The values allowed for each of these kinds. The index of the word is what is stored; NULL ends
 * the list.
 */
#define WORDS_MAX 5
static const char *const words[][WORDS_MAX] = {
    [KIND_YES] = {"no", "yes", NULL},
    [KIND_ON] = {"off", "on", NULL},
    [KIND_MODE] = {"none", "proxy", "jwt", NULL},
    [KIND_JOIN] = {"by_mode", "open", "invite", NULL},
    [KIND_LEVEL] = {"debug", "info", "warning", "error", NULL},
};

#define STORE_DEFAULT "sqlite:/var/lib/imd/imd.db"

#define AT(member)     offsetof(struct config, member)
#define DIGITS(number) QUOTED(number)
#define QUOTED(number) #number

static const struct setting settings[] = {
    {"store", KIND_URI, RESTART, AT(store), 0, 0, STORE_DEFAULT,
     "the database: sqlite:PATH is a file that imd creates if it is missing, postgresql://… a server. "
     "imd --version lists the engines"},
    {"database", KIND_PATH, RESTART, AT(database), 0, 0, "",
     "the older form of `store`: PATH means store = sqlite:PATH"},
    {"socket", KIND_PATH, RESTART, AT(socket), 0, 0, "/run/imd/imd.sock",
     "the FastCGI socket that nginx passes requests to; unused if systemd or a FastCGI manager passes one"},
    {"socket_mode", KIND_OCTAL, RESTART, AT(socket_mode), 0, 0777, "0660", "the permissions of that socket"},
    {"control", KIND_PATH, RESTART, AT(control), 0, 0, "control.sock",
     "the socket on which imctl administers imd; a name without a slash lies beside `socket`. Only root and "
     "imd's user may use it"},
    {"push_socket", KIND_PATH, RESTART, AT(push_socket), 0, 0, "/run/imd/push.sock",
     "the socket on which nginx accepts pushes, as imd-push.conf names it"},
    {"processes", KIND_INT, RELOAD, AT(processes), 1, CONFIG_PROCESSES_MAX, "2", "the number of workers"},
    {"threads", KIND_INT, RELOAD, AT(threads), 1, CONFIG_THREADS_MAX, "32",
     "threads of each worker: how many requests it handles at once"},
    {"readers", KIND_INT, RELOAD, AT(readers), 1, CONFIG_THREADS_MAX, "2",
     "read connections of each worker, and how many of its threads may compute at once; the others wait for "
     "commits or for their turn. About one for each processor"},
    {"content_bytes_max", KIND_INT, RELOAD, AT(content_bytes_max), 1, CONFIG_CONTENT_BYTES_MAX,
     DIGITS(CONFIG_CONTENT_BYTES_MAX), "the longest message, in bytes of UTF-8"},
    {"drain_ms", KIND_INT, RELOAD, AT(drain_ms), 100, 600000, "10000",
     "how long a stopping worker may take to answer the requests that it has, in milliseconds"},
    {"auth", KIND_MODE, RELOAD, AT(auth), 0, 0, "none",
     "how imd authenticates callers: none (a caller may claim any name), proxy (nginx sets $imd_user), jwt "
     "(a signed token names the user)"},
    {"loopback_only", KIND_YES, RELOAD, AT(loopback_only), 0, 0, "no",
     "with auth = none: serve only requests that reached nginx at a loopback address"},
    {"insecure_public", KIND_YES, RELOAD, AT(insecure_public), 0, 0, "no",
     "with auth = none: serve everybody who reaches nginx, under any name they claim"},
    {"admins", KIND_TEXT, RELOAD, AT(admins), 0, 0, "",
     "users who are administrators: they may do anything and act for any user. Separate names by blanks or "
     "commas"},
    {"jwt_keys", KIND_PATH, RELOAD, AT(jwt_keys), 0, 0, "/etc/imd/keys",
     "with auth = jwt: the directory of keys. KID.hs256 is a secret; KID.rs256 and KID.es256 are public keys "
     "(PEM)"},
    {"jwt_audience", KIND_TEXT, RELOAD, AT(jwt_audience), 0, 0, "",
     "the audience (aud) that a token must name; empty: any"},
    {"jwt_issuer", KIND_TEXT, RELOAD, AT(jwt_issuer), 0, 0, "",
     "the issuer (iss) that a token must name; empty: any"},
    {"jwt_admin_claim", KIND_TEXT, RELOAD, AT(jwt_admin_claim), 0, 0, "imd_admin",
     "the claim that makes a token's user an administrator if it is true; empty: no claim does"},
    {"default_join", KIND_JOIN, RELOAD, AT(default_join), 0, 0, "by_mode",
     "who may join a group that is created without `join`: open (everybody), invite (users whom a member "
     "adds), by_mode (open with auth = none, else invite)"},
    {"user_rate", KIND_INT, RELOAD, AT(user_rate), 1, CONFIG_RATE_MAX, "20",
     "the rate limit of one user (with auth = none: of one address), in requests a second. It applies if "
     "nginx turns the limits on; administrators are exempt"},
    {"user_burst", KIND_INT, RELOAD, AT(user_burst), 1, CONFIG_RATE_MAX, "200",
     "how many requests one user may send at once before user_rate limits them"},
    {"silence", KIND_ON, RELOAD, AT(silence), 0, 0, "on",
     "publish only to users who may be listening; turn it off if anything but this imd grants subscriptions "
     "to the same nchan"},
    {"user", KIND_TEXT, RESTART, AT(user), 0, 0, "", "the user that imd becomes if root starts it"},
    {"log_level", KIND_LEVEL, RELOAD, AT(log_level), 0, 0, "info",
     "the least severe events that imd logs to stderr; debug logs each request"},
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

/* The room for a setting of this kind. */
static size_t
width(enum kind kind)
{
    if (kind == KIND_URI)
        return CONFIG_URI_BYTES;
    return kind == KIND_PATH || kind == KIND_TEXT ? CONFIG_PATH_BYTES : sizeof(int64_t);
}

static bool
is_string(enum kind kind)
{
    return width(kind) > sizeof(int64_t);
}

/* Only a text may be empty. */
static bool
set_string(char *out, enum kind kind, const char *value)
{
    size_t n = strlen(value);

    if (n >= width(kind) || (n == 0 && kind != KIND_TEXT))
        return false;
    memcpy(out, value, n + 1);
    return true;
}

static void
list_words(enum kind kind, char *text, size_t size)
{
    const char *const *word = words[kind];
    size_t n = 0;

    for (int i = 0; word[i] != NULL && n < size; i++) {
        const char *between = word[i + 1] == NULL ? " or " : ", ";

        n += (size_t)snprintf(text + n, size - n, "%s%s", i == 0 ? "" : between, word[i]);
    }
}

/* Writes into `text` which values the setting may have. */
static void
allowed(const struct setting *s, char *text, size_t size)
{
    switch (s->kind) {
    case KIND_PATH:
        snprintf(text, size, "a path of 1 to %d bytes", CONFIG_PATH_BYTES - 1);
        break;
    case KIND_URI:
        snprintf(text, size, "a URI of 1 to %d bytes", CONFIG_URI_BYTES - 1);
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

    if (is_string(s->kind))
        return set_string(place, s->kind, value);
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

/* One run of the parser: where the settings go, and where the message goes if one is wrong. */
struct reading {
    struct config *config;
    char *message;
    size_t size;
};

/* Writes the message and returns ERR_CONFIG. */
static enum err __attribute__((format(printf, 2, 3))) refuse(const struct reading *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->message, r->size, format, args);
    va_end(args);
    return ERR_CONFIG;
}

/* Sets one setting. `where` is the beginning of a message: "FILE:LINE: " or "--". */
static enum err
assign(const struct reading *r, const char *where, struct str key, const char *value)
{
    const struct setting *s = find(key.p, key.n);
    char may[80];

    if (s == NULL)
        return refuse(r, "%s%.*s: no such setting; imd --help lists them", where, (int)key.n, key.p);
    if (set(r->config, s, value))
        return ERR_OK;
    allowed(s, may, sizeof(may));
    return refuse(r, "%s%s: '%.100s' is not allowed; allowed is %s", where, s->key, value, may);
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
read_line(const struct reading *r, const char *where, char *line)
{
    char *text = trim(line);
    char *equals = strchr(text, '=');

    if (text[0] == '\0' || text[0] == '#')
        return ERR_OK;
    if (equals == NULL)
        return refuse(r, "%s'%.100s' is not of the form key = value", where, text);
    *equals = '\0';
    return assign(r, where, str_c(trim(text)), trim(equals + 1));
}

static enum err
read_lines(const struct reading *r, const char *path, FILE *f)
{
    char where[CONFIG_PATH_BYTES + 16];
    char *line = NULL;
    size_t line_size = 0;
    ssize_t n;
    enum err err = ERR_OK;

    for (int number = 1; err == ERR_OK && (n = getline(&line, &line_size, f)) >= 0; number++) {
        snprintf(where, sizeof(where), "%s:%d: ", path, number);
        err = strlen(line) == (size_t)n ? read_line(r, where, line)
                                        : refuse(r, "%sa NUL byte is not allowed", where);
    }
    free(line);
    if (err == ERR_OK && ferror(f))
        err = refuse(r, "%s: cannot be read", path);
    return err;
}

static enum err
read_file(const struct reading *r, const char *path)
{
    FILE *f = fopen(path, "re");
    enum err err;

    if (f == NULL)
        return refuse(r, "%s: cannot be read: %s", path, strerror(errno));
    err = read_lines(r, path, f);
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

/* "--insecure-public" means "--insecure-public=yes". */
static bool
is_bare(const char *flag)
{
    const struct setting *s =
        strncmp(flag, "--", 2) == 0 && strchr(flag, '=') == NULL ? find(flag + 2, strlen(flag + 2)) : NULL;

    return s != NULL && s->kind == KIND_YES;
}

/* Finds --config=FILE and the action; refuses an argument that is no flag. */
static enum err
scan_flags(const struct reading *r, int argc, char **argv)
{
    struct config *config = r->config;

    for (int i = 1; i < argc; i++) {
        if (is_action(argv[i], &config->action) || is_bare(argv[i]))
            continue;
        if (strncmp(argv[i], "--", 2) != 0 || strchr(argv[i], '=') == NULL)
            return refuse(r, "%.100s: not of the form --key=value; imd --help lists them", argv[i]);
        if (strncmp(argv[i], "--config=", 9) == 0 && !set_string(config->file, KIND_PATH, argv[i] + 9))
            return refuse(r, "--config: allowed is a path of 1 to %d bytes", CONFIG_PATH_BYTES - 1);
    }
    return ERR_OK;
}

static enum err
read_flag(const struct reading *r, const char *flag)
{
    const char *equals = strchr(flag, '=');

    if (equals != NULL && strncmp(flag, "--config=", 9) != 0)
        return assign(r, "--", (struct str){flag + 2, (size_t)(equals - flag - 2)}, equals + 1);
    return is_bare(flag) ? assign(r, "--", str_c(flag + 2), "yes") : ERR_OK;
}

/* Puts a control socket without a directory beside the FastCGI socket. */
static enum err
place_control(const struct reading *r)
{
    struct config *config = r->config;
    const char *slash = strrchr(config->socket, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash + 1 - config->socket);
    size_t name_n = strlen(config->control);

    if (strchr(config->control, '/') != NULL)
        return ERR_OK;
    if (n + name_n >= sizeof(config->control))
        return refuse(r, "control: the path of socket is too long to put it there");
    memmove(config->control + n, config->control, name_n + 1);
    memcpy(config->control, config->socket, n);
    return ERR_OK;
}

/*
 * Decides on one of the two settings that name the database: puts it into `store`, and empties
 * `database`. Until then each of them is empty unless it is given.
 */
static enum err
place_store(const struct reading *r)
{
    struct config *config = r->config;

    if (config->store[0] != '\0' && config->database[0] != '\0')
        return refuse(r, "store and database: only one of them is allowed; database = PATH means store = "
                         "sqlite:PATH");
    if (config->database[0] != '\0')
        snprintf(config->store, sizeof(config->store), "sqlite:%s", config->database);
    else if (config->store[0] == '\0')
        memcpy(config->store, STORE_DEFAULT, sizeof(STORE_DEFAULT));
    config->database[0] = '\0';
    return ERR_OK;
}

enum err
config_read(struct config *config, int argc, char **argv, char *message, size_t size)
{
    const struct reading r = {config, message, size};
    enum err err;

    *config = (struct config){.action = CONFIG_RUN};
    for (size_t i = 0; i < SETTINGS; i++)
        set(config, &settings[i], settings[i].fallback);
    config->store[0] = '\0';
    err = scan_flags(&r, argc, argv);
    if (err != ERR_OK || config->action == CONFIG_HELP || config->action == CONFIG_VERSION)
        return err;
    if (config->file[0] != '\0')
        err = read_file(&r, config->file);
    for (int i = 1; err == ERR_OK && i < argc; i++)
        err = read_flag(&r, argv[i]);
    if (err == ERR_OK)
        err = place_store(&r);
    return err == ERR_OK ? place_control(&r) : err;
}

static bool
differs(const struct setting *s, const void *a, const void *b)
{
    return is_string(s->kind) ? strcmp(a, b) != 0 : memcmp(a, b, sizeof(int64_t)) != 0;
}

bool
config_keep_fixed(struct config *fresh, const struct config *running, char *keys, size_t size)
{
    size_t n = 0;

    keys[0] = '\0';
    for (const struct setting *s = settings; s < settings + SETTINGS; s++) {
        char *to = (char *)fresh + s->offset;
        const char *from = (const char *)running + s->offset;

        if (s->effect == RELOAD || !differs(s, to, from))
            continue;
        memcpy(to, from, width(s->kind));
        if (n < size)
            n += (size_t)snprintf(keys + n, size - n, "%s%s", n > 0 ? "," : "", s->key);
    }
    return n > 0;
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
           "  --config=FILE   read settings from FILE: lines of the form key = value; '#' begins a comment "
           "line.\n"
           "                  Flags override the file.\n"
           "  --check         check the settings, print what is wrong with them, and exit\n"
           "  --version       print the version and the engines of `store`, and exit\n"
           "  --help          print this help and exit\n\n"
           "Signals:\n"
           "  TERM, INT       answer the requests that have arrived, then exit\n"
           "  HUP             reload: read the settings again and replace the workers one by one; no request "
           "fails\n\n"
           "Settings, each with its default in brackets. A reload applies a change, unless it needs a "
           "restart:\n");
    for (const struct setting *s = settings; s < settings + SETTINGS; s++) {
        char may[80];

        allowed(s, may, sizeof(may));
        printf("  %s [%s]%s\n      %s\n      %s\n", s->key, s->fallback,
               s->effect == RESTART ? " (needs a restart)" : "", s->help, may);
    }
}
