/*
 * config.h - the settings: a file of `key = value` lines, flags `--key=value`, or both.
 *
 * Flags override the file, and the file overrides the defaults. A wrong setting is refused with a
 * message that says where it is, its key, and what is allowed.
 */
#ifndef IMD_RUN_CONFIG_H
#define IMD_RUN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define CONFIG_PATH_BYTES 512  /* the longest path or text, with its NUL */
#define CONFIG_URI_BYTES  1024 /* the longest URI, with its NUL */

/* Maxima of settings that other files need, because their arrays have these sizes. */
#define CONFIG_PROCESSES_MAX     64
#define CONFIG_THREADS_MAX       256
#define CONFIG_CONTENT_BYTES_MAX 65536
#define CONFIG_RATE_MAX          1000000

/* How imd authenticates callers. */
enum auth_mode { AUTH_NONE, AUTH_PROXY, AUTH_JWT };
/*
 * The join policy of groups that are created without one. JOIN_DEFAULT_BY_MODE: open with
 * AUTH_NONE, invite otherwise.
 */
enum join_default { JOIN_DEFAULT_BY_MODE, JOIN_DEFAULT_OPEN, JOIN_DEFAULT_INVITE };

/* What the flags ask for. */
enum config_action { CONFIG_RUN, CONFIG_HELP, CONFIG_VERSION, CONFIG_CHECK };

struct config {
    char store[CONFIG_URI_BYTES];        /* the database: see store/store.h */
    char database[CONFIG_PATH_BYTES];    /* "": config_read() puts it into `store` */
    char socket[CONFIG_PATH_BYTES];      /* the FastCGI socket; unused if imd inherits one */
    char push_socket[CONFIG_PATH_BYTES]; /* nginx's private publisher (imd-push.conf) */
    int64_t socket_mode;                 /* permission bits of the socket */
    char control[CONFIG_PATH_BYTES];     /* the control socket; config_read() puts it beside `socket` */
    int64_t processes;                   /* worker processes */
    int64_t threads;                     /* of each worker */
    int64_t readers;           /* of each worker: read connections, and threads that may compute at once */
    int64_t content_bytes_max; /* the longest message */
    int64_t auth;              /* enum auth_mode */
    int64_t loopback_only;     /* AUTH_NONE: serve only requests to a loopback address; 0 or 1 */
    int64_t insecure_public;   /* AUTH_NONE: serve every address; 0 or 1 */
    char admins[CONFIG_PATH_BYTES];          /* names, separated by blanks or commas */
    char jwt_keys[CONFIG_PATH_BYTES];        /* a directory */
    char jwt_audience[CONFIG_PATH_BYTES];    /* "": any */
    char jwt_issuer[CONFIG_PATH_BYTES];      /* "": any */
    char jwt_admin_claim[CONFIG_PATH_BYTES]; /* the claim that makes an administrator; "": none */
    int64_t default_join;                    /* enum join_default */
    int64_t user_rate;                       /* of each user, requests a second */
    int64_t user_burst;                      /* of each user, requests at once */
    int64_t silence;                         /* publish only to users who may be listening; 0 or 1 */
    char user[CONFIG_PATH_BYTES];            /* the user that root becomes; "": none */
    int64_t drain_ms;                        /* how long a worker may take to stop */
    int64_t log_level;                       /* enum log_level */
    char file[CONFIG_PATH_BYTES];            /* --config; "": no file */
    enum config_action action;
};

/*
 * Reads defaults, file and flags into *config. On ERR_CONFIG, `message` (of `size` bytes) says what
 * is wrong, as "FILE:LINE: key: …" or "--key: …".
 */
enum err config_read(struct config *config, int argc, char **argv, char *message, size_t size);
/*
 * Restores in *fresh every setting that only a restart changes to its value in *running. True: at
 * least one differed, and `keys` (of `size` bytes) holds their keys, separated by commas.
 */
bool config_keep_fixed(struct config *fresh, const struct config *running, char *keys, size_t size);
/* True if users cannot join a group by themselves that was created without `join`. */
bool config_default_invite_only(const struct config *config);
/* Prints the --help text to stdout. */
void config_help(void);

#endif
