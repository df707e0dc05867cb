/* token.c - imctl token: mints a token, or inspects one. Must not touch the database. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "auth/token.h"
#include "base/clock.h"
#include "model/names.h"
#include "imctl/imctl.h"
#include "wire/object.h"

#define TTL_S         3600
#define TTL_S_MAX     ((int64_t)10 * 366 * 86400)
#define MESSAGE_BYTES 1024

/* The arguments of the command line; NULL: not given. */
struct options {
    const char *config;
    const char *keys;
    const char *key;
    const char *kid;
    const char *subject;
    const char *audience;
    const char *issuer;
    const char *inspect;
    const char *admin_claim; /* of the settings */
    int64_t ttl_s;
    bool admin;
};

const char imctl_token_help[] =
    "usage: imctl token --sub=NAME [--admin] [--ttl=SECONDS] [KEY OPTION ...]\n"
    "       imctl token --inspect=TOKEN [KEY OPTION ...]\n"
    "\n"
    "The first form mints a token and prints it. The second shows a token and says whether imd would "
    "accept it.\n"
    "\n"
    "  --sub=NAME       the user: 1 to 20 letters, digits or underscores\n"
    "  --admin          mint an administrator's token: set the claim that jwt_admin_claim names\n"
    "  --ttl=SECONDS    the token expires after so many seconds; 0: never [3600]\n"
    "  --inspect=TOKEN  the token to show; -: read it from standard input, so that ps does not show it\n"
    "\n"
    "Key options:\n"
    "  --config=FILE    take jwt_keys, jwt_audience, jwt_issuer and jwt_admin_claim from imd's settings\n"
    "  --keys=DIR       the directory of keys [/etc/imd/keys]\n"
    "  --kid=ID         the key that signs [the secret whose name sorts last]\n"
    "  --key=FILE       a key outside the directory that signs: KID.hs256, or a private key KID.rs256 or\n"
    "                   KID.es256 (PEM)\n"
    "  --aud=AUDIENCE   the audience to mint for, or to require\n"
    "  --iss=ISSUER     the issuer to mint as, or to require\n";

/* Sets one option. False: it is unknown, or its value is not allowed. */
static bool
set_option(struct options *o, int option, const char *value)
{
    switch (option) {
    case 'c':
        o->config = value;
        break;
    case 'K':
        o->keys = value;
        break;
    case 'k':
        o->key = value;
        break;
    case 'i':
        o->kid = value;
        break;
    case 's':
        o->subject = value;
        break;
    case 'a':
        o->audience = value;
        break;
    case 'I':
        o->issuer = value;
        break;
    case 'x':
        o->inspect = value;
        break;
    case 'A':
        o->admin = true;
        break;
    case 't':
        return str_to_int(str_c(value), &o->ttl_s) && o->ttl_s <= TTL_S_MAX;
    default:
        return false;
    }
    return true;
}

static bool
read_options(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"keys", required_argument, NULL, 'K'},
        {"key", required_argument, NULL, 'k'},
        {"kid", required_argument, NULL, 'i'},
        {"sub", required_argument, NULL, 's'},
        {"aud", required_argument, NULL, 'a'},
        {"iss", required_argument, NULL, 'I'},
        {"inspect", required_argument, NULL, 'x'},
        {"admin", no_argument, NULL, 'A'},
        {"ttl", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        if (!set_option(o, option, optarg))
            return false;
    return optind == argc && (o->inspect == NULL) != (o->subject == NULL);
}

/* Takes missing arguments from imd's settings. Returns false if the settings are wrong. */
static bool
fill_from_config(struct options *o, struct config *config)
{
    if (!imctl_read_config(o->config, config))
        return false;
    if (o->keys == NULL)
        o->keys = config->jwt_keys;
    if (o->audience == NULL)
        o->audience = config->jwt_audience;
    if (o->issuer == NULL)
        o->issuer = config->jwt_issuer;
    o->admin_claim = config->jwt_admin_claim;
    return true;
}

/*
 * Returns the key of that id; without an id, the secret whose name sorts last. NULL: there is none.
 */
static struct key *
choose(const struct keys *keys, const char *kid)
{
    struct key *chosen = NULL;

    for (size_t i = 0; i < keys->count; i++)
        if (kid == NULL ? keys->list[i].alg == KEY_HS256 : strcmp(keys->list[i].id, kid) == 0)
            chosen = &keys->list[i];
    return chosen;
}

static enum imctl_status
mint_with(const struct options *o, struct key *key)
{
    int64_t now_s = clock_wall_ms() / 1000;
    struct token_order order = {
        .key = key,
        .subject = o->subject,
        .admin_claim = o->admin ? o->admin_claim : "",
        .issued_s = now_s,
        .expires_s = o->ttl_s == 0 ? 0 : now_s + o->ttl_s,
        .audience = o->audience,
        .issuer = o->issuer,
    };
    char *token;

    if (token_mint(&order, &token) != ERR_OK)
        return imctl_fail("this key cannot sign: give the private key of RS256 or ES256 by --key");
    puts(token);
    free(token);
    return IMCTL_OK;
}

static enum imctl_status
mint(const struct options *o)
{
    char message[MESSAGE_BYTES];
    struct keys keys = {0};
    struct key one;
    struct key *key = &one;
    enum imctl_status status;

    if (!names_valid(str_c(o->subject)))
        return imctl_fail("--sub: the name of a user is 1 to 20 letters, digits and _");
    if (o->admin && o->admin_claim[0] == '\0')
        return imctl_fail("--admin: jwt_admin_claim is empty, so no token makes an administrator");
    if (o->admin && token_claim_is_registered(o->admin_claim))
        return imctl_fail(
            "--admin: jwt_admin_claim names a claim that means something else in every token, so "
            "imd refuses this setting");
    if ((o->key != NULL ? keys_read_one(&one, o->key, true, message, sizeof(message))
                        : keys_read(&keys, o->keys, message, sizeof(message))) != ERR_OK)
        return imctl_fail(message);
    if (o->key == NULL)
        key = choose(&keys, o->kid);
    status =
        key == NULL ? imctl_fail("there is no such key, or no secret among the keys") : mint_with(o, key);
    if (o->key != NULL)
        keys_clear_one(&one);
    keys_clear(&keys);
    return status;
}

/*
 * Reads one line of standard input, without its end. `line` has room for more than the longest
 * token, so a line that is cut is still too long to be one.
 */
static const char *
read_line(char *line, size_t size)
{
    if (fgets(line, (int)size, stdin) == NULL)
        line[0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static enum imctl_status
inspect(const struct options *o)
{
    char line[TOKEN_BYTES_MAX + 3];
    char message[MESSAGE_BYTES];
    const char *text = strcmp(o->inspect, "-") == 0 ? read_line(line, sizeof(line)) : o->inspect;
    struct keys keys;
    struct token_rules rules = {&keys, o->audience, o->issuer, o->admin_claim};
    struct token_claims claims;
    const char *why;
    char *header;
    char *body;
    enum err err;

    if (keys_read(&keys, o->keys, message, sizeof(message)) != ERR_OK)
        return imctl_fail(message);
    if (token_look(str_c(text), &header, &body) == ERR_OK)
        printf("header: %s\nclaims: %s\n", header, body);
    free(header);
    free(body);
    err = token_verify(&rules, str_c(text), clock_wall_ms() / 1000, &claims, &why);
    if (err == ERR_OK)
        printf("valid: %s%s\n", claims.subject, claims.admin ? ", an administrator" : "");
    else
        printf("refused: %s\n", why);
    keys_clear(&keys);
    return err == ERR_OK ? IMCTL_OK : IMCTL_NO;
}

enum imctl_status
imctl_token(int argc, char **argv)
{
    static struct config config;
    struct options o = {.ttl_s = TTL_S};

    if (!read_options(&o, argc, argv))
        return IMCTL_USAGE;
    if (!fill_from_config(&o, &config))
        return IMCTL_FAILED;
    object_setup();
    return o.inspect != NULL ? inspect(&o) : mint(&o);
}
