/*
 * run_config.c - checks: flags override the file, and the file overrides the defaults. A wrong
 * setting is refused with a message that says where it is, its key, and the allowed values. A
 * reload keeps and names the settings that only a restart changes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "run/config.h"
#include "base/log.h"

#define FLAGS_MAX 8

static struct config config;
static char message[1024];
static char path[] = "/tmp/run_config.XXXXXX";

/* Reads up to four flags; NULL: no more. */
static enum err
read_flags(const char *a, const char *b, const char *c, const char *d)
{
    const char *given[] = {"imd", a, b, c, d};
    char *argv[FLAGS_MAX] = {NULL};
    int argc = 0;
    enum err err;

    while (argc < 5 && given[argc] != NULL) {
        argv[argc] = strdup(given[argc]);
        argc++;
    }
    message[0] = '\0';
    err = config_read(&config, argc, argv, message, sizeof(message));
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    return err;
}

/* Reads the file with this text, then the flag. */
static enum err
read_text(const char *text, const char *flag)
{
    char config_flag[64];
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    snprintf(config_flag, sizeof(config_flag), "--config=%s", path);
    return read_flags(config_flag, flag, NULL, NULL);
}

static void
nothing_given_means_the_defaults(void **state)
{
    (void)state;
    assert_int_equal(read_flags(NULL, NULL, NULL, NULL), ERR_OK);
    assert_int_equal(config.action, CONFIG_RUN);
    assert_string_equal(config.store, "sqlite:/var/lib/imd/imd.db");
    assert_string_equal(config.database, "");
    assert_string_equal(config.socket, "/run/imd/imd.sock");
    assert_string_equal(config.push_socket, "/run/imd/push.sock");
    assert_string_equal(config.file, "");
    assert_int_equal(config.socket_mode, 0660);
    assert_int_equal(config.processes, 2);
    assert_int_equal(config.threads, 32);
    assert_int_equal(config.readers, 2);
    assert_int_equal(config.content_bytes_max, 65536);
    assert_int_equal(config.drain_ms, 10000);
    assert_int_equal(config.log_level, LOG_INFO);
    assert_int_equal(config.auth, AUTH_NONE);
    assert_int_equal(config.loopback_only, 0);
    assert_int_equal(config.insecure_public, 0);
    assert_string_equal(config.admins, "");
    assert_string_equal(config.jwt_keys, "/etc/imd/keys");
    assert_string_equal(config.jwt_audience, "");
    assert_string_equal(config.jwt_issuer, "");
    assert_string_equal(config.jwt_admin_claim, "imd_admin");
    assert_int_equal(config.default_join, JOIN_DEFAULT_BY_MODE);
    assert_int_equal(config.user_rate, 20);
    assert_int_equal(config.user_burst, 200);
    assert_int_equal(config.silence, 1);
    assert_string_equal(config.user, "");
}

/* A file with comments, blanks and every key. */
static const char every_key[] = "# a comment\n"
                                "\n"
                                "   \t \r\n"
                                "  # another = one\n"
                                "database = /a b/c=d # e.db\n"
                                "socket=/s\r\n"
                                "\tsocket_mode =\t0600\n"
                                "push-socket = /p\n"
                                "processes = 3\nthreads = 4\nreaders = 5\n"
                                "content_bytes_max = 100\ndrain_ms = 200\n"
                                "auth = jwt\nloopback_only = yes\ninsecure-public = no\n"
                                "admins = ann, bob  carol \n"
                                "jwt_keys = /k\njwt_audience = a b\njwt_issuer = https://i.example/?a=b\n"
                                "user_rate = 7\nuser_burst = 8\nsilence = off\nuser = www-data\n"
                                "log_level = error";

static void
a_file_may_hold_comments_blanks_and_every_key(void **state)
{
    (void)state;
    assert_int_equal(read_text(every_key, NULL), ERR_OK);
    assert_string_equal(config.file, path);
    assert_string_equal(config.store, "sqlite:/a b/c=d # e.db");
    assert_string_equal(config.database, "");
    assert_string_equal(config.socket, "/s");
    assert_int_equal(config.socket_mode, 0600);
    assert_string_equal(config.push_socket, "/p");
    assert_int_equal(config.processes, 3);
    assert_int_equal(config.threads, 4);
    assert_int_equal(config.readers, 5);
    assert_int_equal(config.content_bytes_max, 100);
    assert_int_equal(config.drain_ms, 200);
    assert_int_equal(config.log_level, LOG_ERROR);
    assert_int_equal(config.auth, AUTH_JWT);
    assert_int_equal(config.loopback_only, 1);
    assert_int_equal(config.insecure_public, 0);
    assert_string_equal(config.admins, "ann, bob  carol");
    assert_string_equal(config.jwt_keys, "/k");
    assert_string_equal(config.jwt_audience, "a b");
    assert_string_equal(config.jwt_issuer, "https://i.example/?a=b");
    assert_int_equal(config.user_rate, 7);
    assert_int_equal(config.user_burst, 8);
    assert_int_equal(config.silence, 0);
    assert_string_equal(config.user, "www-data");
}

static void
a_yes_may_be_given_without_a_value(void **state)
{
    static const struct {
        const char *flag;
        bool allowed;
        int64_t value;
    } cases[] = {
        {"--insecure-public", true, 1},
        {"--insecure_public", true, 1},
        {"--insecure-public=yes", true, 1},
        {"--insecure-public=no", true, 0},
        {"--insecure-public=", false, 0},
        {"--insecure-public=Yes", false, 0},
        {"--insecure-public=1", false, 0},
        {"--insecure-public=true", false, 0},
        {"--insecure-publi", false, 0},
        {"--insecure-publicc", false, 0},
        {"insecure-public", false, 0},
        {"-insecure-public", false, 0},
        {"--no-insecure-public", false, 0},
        {"--user", false, 0},
        {"--auth", false, 0},
        {"--user-rate", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if ((read_flags(cases[i].flag, NULL, NULL, NULL) == ERR_OK) != cases[i].allowed)
            fail_msg("%s: %s", cases[i].flag, cases[i].allowed ? message : "was allowed");
        if (cases[i].allowed)
            assert_int_equal(config.insecure_public, cases[i].value);
        assert_int_equal(config.loopback_only, 0);
    }
}

/* With or without a value. A flag overrides the file. */
static void
the_last_yes_or_no_counts(void **state)
{
    (void)state;
    assert_int_equal(read_flags("--loopback-only", "--loopback-only=no", NULL, NULL), ERR_OK);
    assert_int_equal(config.loopback_only, 0);
    assert_int_equal(read_flags("--loopback-only=no", "--loopback-only", NULL, NULL), ERR_OK);
    assert_int_equal(config.loopback_only, 1);
    assert_int_equal(read_text("loopback_only = no\n", "--loopback-only"), ERR_OK);
    assert_int_equal(config.loopback_only, 1);
    assert_int_equal(read_text("loopback_only = yes\n", "--loopback-only=no"), ERR_OK);
    assert_int_equal(config.loopback_only, 0);
    /* In a file the value is required. */
    assert_int_equal(read_text("loopback_only\n", NULL), ERR_CONFIG);
}

static void
a_mode_is_one_of_three(void **state)
{
    static const char *const names[] = {"none", "proxy", "jwt"};
    static const char *const bad[] = {"", "None", "JWT", "jw", "jwtt", "0", "basic", "none,jwt"};
    char flag[64];

    (void)state;
    for (int mode = AUTH_NONE; mode <= AUTH_JWT; mode++) {
        snprintf(flag, sizeof(flag), "--auth=%s", names[mode]);
        assert_int_equal(read_flags(flag, NULL, NULL, NULL), ERR_OK);
        assert_int_equal(config.auth, mode);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(flag, sizeof(flag), "--auth=%s", bad[i]);
        assert_int_equal(read_flags(flag, NULL, NULL, NULL), ERR_CONFIG);
        assert_non_null(strstr(message, "allowed is none, proxy or jwt"));
    }
}

/* A text, unlike a path, may be empty. Both may be as long as their room. */
static void
a_text_may_be_empty(void **state)
{
    char flag[CONFIG_PATH_BYTES + 32];
    int n = snprintf(flag, sizeof(flag), "--admins=");

    (void)state;
    assert_int_equal(read_text("admins = ann\njwt_issuer = x\nuser = y\n", "--admins="), ERR_OK);
    assert_string_equal(config.admins, "");
    assert_string_equal(config.jwt_issuer, "x");
    assert_int_equal(read_text("admins =\njwt_audience =   \nuser=\n", NULL), ERR_OK);
    assert_string_equal(config.jwt_audience, "");
    assert_int_equal(read_flags("--jwt-keys=", NULL, NULL, NULL), ERR_CONFIG);
    memset(flag + n, 'a', CONFIG_PATH_BYTES);
    flag[n + CONFIG_PATH_BYTES - 1] = '\0';
    assert_int_equal(read_flags(flag, NULL, NULL, NULL), ERR_OK);
    assert_int_equal(strlen(config.admins), CONFIG_PATH_BYTES - 1);
    flag[n + CONFIG_PATH_BYTES - 1] = 'a';
    flag[n + CONFIG_PATH_BYTES] = '\0';
    assert_int_equal(read_flags(flag, NULL, NULL, NULL), ERR_CONFIG);
    assert_non_null(strstr(message, "--admins: "));
    assert_non_null(strstr(message, "a text of at most 511 bytes"));
}

static void
flags_override_the_file_in_any_order(void **state)
{
    char config_flag[64];

    (void)state;
    assert_int_equal(read_text("threads = 4\nreaders = 5\n", "--threads=7"), ERR_OK);
    assert_int_equal(config.threads, 7);
    assert_int_equal(config.readers, 5);
    snprintf(config_flag, sizeof(config_flag), "--config=%s", path);
    assert_int_equal(read_flags("--threads=8", config_flag, "--log-level=debug", "--threads=9"), ERR_OK);
    assert_int_equal(config.threads, 9);
    assert_int_equal(config.log_level, LOG_DEBUG);
}

static const struct {
    const char *flag;
    bool allowed;
} limits[] = {
    {"--processes=0", false},
    {"--processes=1", true},
    {"--processes=64", true},
    {"--processes=65", false},
    {"--threads=256", true},
    {"--threads=257", false},
    {"--readers=0", false},
    {"--readers=256", true},
    {"--readers=257", false},
    {"--content-bytes-max=0", false},
    {"--content_bytes_max=65536", true},
    {"--content-bytes-max=65537", false},
    {"--drain-ms=99", false},
    {"--drain-ms=100", true},
    {"--drain-ms=600000", true},
    {"--drain-ms=600001", false},
    {"--threads=", false},
    {"--threads=-1", false},
    {"--threads=+1", false},
    {"--threads= 1", false},
    {"--threads=1k", false},
    {"--threads=99999999999999999999", false},
    {"--socket-mode=0", true},
    {"--socket-mode=0777", true},
    {"--socket-mode=01000", false},
    {"--socket-mode=0780", false},
    {"--socket-mode=rw", false},
    {"--socket-mode=", false},
    {"--socket-mode=-1", false},
    {"--socket-mode=000777", false},
    {"--user-rate=0", false},
    {"--user-rate=1", true},
    {"--user-rate=1000000", true},
    {"--user-rate=1000001", false},
    {"--user-burst=0", false},
    {"--user-burst=1000000", true},
    {"--user-burst=1000001", false},
    {"--log-level=warning", true},
    {"--log-level=Warning", false},
    {"--log-level=warn", false},
    {"--log-level=", false},
    {"--database=", false},
    {"--database=x", true},
    {"--store=", false},
    {"--store=x", true},
};

static void
every_limit_is_allowed_and_nothing_beyond(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if ((read_flags(limits[i].flag, NULL, NULL, NULL) == ERR_OK) != limits[i].allowed)
            fail_msg("%s: %s", limits[i].flag, limits[i].allowed ? message : "was allowed");
}

static void
a_path_may_fill_its_room(void **state)
{
    char flag[CONFIG_PATH_BYTES + 32];
    int n = snprintf(flag, sizeof(flag), "--database=");

    (void)state;
    memset(flag + n, 'p', CONFIG_PATH_BYTES);
    flag[n + CONFIG_PATH_BYTES - 1] = '\0';
    assert_int_equal(read_flags(flag, NULL, NULL, NULL), ERR_OK);
    assert_int_equal(strlen(config.store), strlen("sqlite:") + CONFIG_PATH_BYTES - 1);
    assert_string_equal(config.socket, "/run/imd/imd.sock");
    flag[n + CONFIG_PATH_BYTES - 1] = 'p';
    flag[n + CONFIG_PATH_BYTES] = '\0';
    assert_int_equal(read_flags(flag, NULL, NULL, NULL), ERR_CONFIG);
    assert_non_null(strstr(message, "--database: "));
    assert_non_null(strstr(message, "a path of 1 to 511 bytes"));
    memcpy(flag, "--config=", 9);
    memset(flag + 9, 'p', CONFIG_PATH_BYTES);
    flag[9 + CONFIG_PATH_BYTES] = '\0';
    assert_int_equal(read_flags(flag, NULL, NULL, NULL), ERR_CONFIG);
    assert_non_null(strstr(message, "--config: "));
}

static void
assert_flag_message(const char *flag, const char *want)
{
    assert_int_equal(read_flags(flag, NULL, NULL, NULL), ERR_CONFIG);
    assert_string_equal(message, want);
}

static void
a_wrong_flag_is_named_with_the_allowed_values(void **state)
{
    (void)state;
    assert_flag_message("--threads=0",
                        "--threads: '0' is not allowed; allowed is a whole number from 1 to 256");
    assert_flag_message("--socket-mode=9",
                        "--socket_mode: '9' is not allowed; allowed is octal digits up to 0777");
    assert_flag_message("--log-level=loud",
                        "--log_level: 'loud' is not allowed; allowed is debug, info, warning or error");
    assert_flag_message("--auth=ldap", "--auth: 'ldap' is not allowed; allowed is none, proxy or jwt");
    assert_flag_message("--loopback-only=maybe",
                        "--loopback_only: 'maybe' is not allowed; allowed is no or yes");
    assert_flag_message("--database=", "--database: '' is not allowed; allowed is a path of 1 to 511 bytes");
    assert_flag_message("--store=", "--store: '' is not allowed; allowed is a URI of 1 to 1023 bytes");
    assert_flag_message("--thread=1", "--thread: no such setting; imd --help lists them");
    assert_flag_message("--threadss=1", "--threadss: no such setting; imd --help lists them");
    assert_flag_message("--=1", "--: no such setting; imd --help lists them");
    assert_flag_message("--threads", "--threads: not of the form --key=value; imd --help lists them");
    assert_flag_message("threads=1", "threads=1: not of the form --key=value; imd --help lists them");
    assert_flag_message("", ": not of the form --key=value; imd --help lists them");
}

static void
a_uri_may_fill_its_room(void **state)
{
    char flag[CONFIG_URI_BYTES + 32];
    int n = snprintf(flag, sizeof(flag), "--store=");

    (void)state;
    memset(flag + n, 'u', CONFIG_URI_BYTES);
    flag[n + CONFIG_URI_BYTES - 1] = '\0';
    assert_int_equal(read_flags(flag, NULL, NULL, NULL), ERR_OK);
    assert_string_equal(config.store, flag + n);
    assert_string_equal(config.socket, "/run/imd/imd.sock");
    flag[n + CONFIG_URI_BYTES - 1] = 'u';
    flag[n + CONFIG_URI_BYTES] = '\0';
    assert_int_equal(read_flags(flag, NULL, NULL, NULL), ERR_CONFIG);
    assert_non_null(strstr(message, "--store: "));
    assert_non_null(strstr(message, "a URI of 1 to 1023 bytes"));
}

static void
a_database_is_a_store_of_sqlite(void **state)
{
    (void)state;
    assert_int_equal(read_flags("--database=/d", NULL, NULL, NULL), ERR_OK);
    assert_string_equal(config.store, "sqlite:/d");
    assert_string_equal(config.database, "");
    assert_int_equal(read_flags("--store=sqlite:/d", NULL, NULL, NULL), ERR_OK);
    assert_string_equal(config.store, "sqlite:/d");
    /* With any engine: the settings do not know the engines. */
    assert_int_equal(read_text("store = other://host/d?a=b\n", NULL), ERR_OK);
    assert_string_equal(config.store, "other://host/d?a=b");
    assert_int_equal(read_text("store = sqlite:/d\n", "--store=sqlite:/e"), ERR_OK);
    assert_string_equal(config.store, "sqlite:/e");
    assert_int_equal(read_text("database = /d\n", "--database=/e"), ERR_OK);
    assert_string_equal(config.store, "sqlite:/e");
}

static void
a_store_and_a_database_together_are_refused(void **state)
{
    const char *want =
        "store and database: only one of them is allowed; database = PATH means store = sqlite:PATH";

    (void)state;
    assert_int_equal(read_flags("--store=sqlite:/d", "--database=/d", NULL, NULL), ERR_CONFIG);
    assert_string_equal(message, want);
    assert_int_equal(read_text("database = /d\nstore = sqlite:/d\n", NULL), ERR_CONFIG);
    assert_string_equal(message, want);
    assert_int_equal(read_text("database = /d\n", "--store=sqlite:/d"), ERR_CONFIG);
    assert_string_equal(message, want);
    /* The default counts too. */
    assert_int_equal(read_text("database = /d\n", "--store=sqlite:/var/lib/imd/imd.db"), ERR_CONFIG);
    assert_string_equal(message, want);
}

static void
assert_file_message(const char *text, const char *want)
{
    char whole[256];

    assert_int_equal(read_text(text, NULL), ERR_CONFIG);
    snprintf(whole, sizeof(whole), "%s:%s", path, want);
    assert_string_equal(message, whole);
}

static void
a_wrong_line_is_named_by_its_number(void **state)
{
    (void)state;
    assert_file_message("# one\n\nthreads = 4\nreaders = many\nprocesses = 0\n",
                        "4: readers: 'many' is not allowed; allowed is a whole number from 1 to 256");
    assert_file_message("colour = blue", "1: colour: no such setting; imd --help lists them");
    assert_file_message("config = /etc/other", "1: config: no such setting; imd --help lists them");
    assert_file_message("\n= 1\n", "2: : no such setting; imd --help lists them");
    assert_file_message("threads 4\n", "1: 'threads 4' is not of the form key = value");
    assert_file_message("threads =\n",
                        "1: threads: '' is not allowed; allowed is a whole number from 1 to 256");
    /* A valid flag does not make an invalid file valid. */
    assert_int_equal(read_text("threads = 0\n", "--threads=1"), ERR_CONFIG);
}

static void
a_long_line_is_read_whole(void **state)
{
    char text[9000];
    int n = snprintf(text, sizeof(text), "#");

    (void)state;
    memset(text + n, 'x', 8000);
    snprintf(text + n + 8000, sizeof(text) - 8001, "\nthreads = 0\n");
    assert_file_message(text, "2: threads: '0' is not allowed; allowed is a whole number from 1 to 256");
}

static void
a_message_never_leaves_its_room(void **state)
{
    char *argv[] = {strdup("imd"), strdup("--log-level=loud")};
    char small[12];

    (void)state;
    memset(small, '#', sizeof(small));
    assert_int_equal(config_read(&config, 2, argv, small, 10), ERR_CONFIG);
    assert_string_equal(small, "--log_lev");
    assert_int_equal(small[10], '#');
    free(argv[0]);
    free(argv[1]);
}

static void
a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    assert_int_equal(read_flags("--config=/nowhere/imd.conf", NULL, NULL, NULL), ERR_CONFIG);
    assert_string_equal(message, "/nowhere/imd.conf: cannot be read: No such file or directory");
    assert_int_equal(read_flags("--config=/", NULL, NULL, NULL), ERR_CONFIG);
    assert_non_null(strstr(message, "/: cannot be read"));
}

static void
help_and_version_are_recognised(void **state)
{
    (void)state;
    assert_int_equal(read_flags("--help", NULL, NULL, NULL), ERR_OK);
    assert_int_equal(config.action, CONFIG_HELP);
    assert_int_equal(read_flags("-h", NULL, NULL, NULL), ERR_OK);
    assert_int_equal(config.action, CONFIG_HELP);
    /* Help is printed whatever the file contains. */
    assert_int_equal(read_text("threads = 0\n", "--version"), ERR_OK);
    assert_int_equal(config.action, CONFIG_VERSION);
    assert_int_equal(read_text("threads = 0\n", "--check"), ERR_CONFIG);
    assert_int_equal(config.action, CONFIG_CHECK);
    assert_int_equal(read_text("threads = 1\n", "--check"), ERR_OK);
    assert_int_equal(config.action, CONFIG_CHECK);
    assert_int_equal(read_flags("-x", NULL, NULL, NULL), ERR_CONFIG);
}

static void
a_reload_keeps_and_names_settings_that_need_a_restart(void **state)
{
    static const char *const fixed[] = {"database", "socket",      "socket_mode",
                                        "control",  "push_socket", "user"};
    struct config running;
    char text[256] = "threads = 7\nlog_level = error\nadmins = ann\n";
    char keys[64];
    size_t n = strlen(text);

    (void)state;
    assert_int_equal(read_flags(NULL, NULL, NULL, NULL), ERR_OK);
    running = config;
    assert_int_equal(read_text(text, NULL), ERR_OK);
    assert_false(config_keep_fixed(&config, &running, keys, sizeof(keys)));
    assert_string_equal(keys, "");
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s = 0600\n", fixed[i]);
    assert_int_equal(read_text(text, NULL), ERR_OK);
    assert_true(config_keep_fixed(&config, &running, keys, sizeof(keys)));
    assert_string_equal(keys, "store,socket,socket_mode,control,push_socket,user");
    assert_string_equal(config.store, running.store);
    assert_string_equal(config.socket, running.socket);
    assert_int_equal(config.socket_mode, 0660);
    assert_string_equal(config.control, running.control);
    assert_string_equal(config.push_socket, running.push_socket);
    assert_string_equal(config.user, "");
    assert_int_equal(config.threads, 7);
    assert_int_equal(config.log_level, LOG_ERROR);
    assert_string_equal(config.admins, "ann");
    /* The same database, by its other setting. */
    assert_int_equal(read_text("database = /var/lib/imd/imd.db\n", NULL), ERR_OK);
    assert_false(config_keep_fixed(&config, &running, keys, sizeof(keys)));
}

static void
keys_that_changed_never_leave_their_room(void **state)
{
    struct config running;
    char small[9];

    (void)state;
    assert_int_equal(read_flags(NULL, NULL, NULL, NULL), ERR_OK);
    running = config;
    memset(small, '#', sizeof(small));
    assert_int_equal(read_flags("--store=sqlite:/d", "--socket=/s", "--user=ann", NULL), ERR_OK);
    assert_true(config_keep_fixed(&config, &running, small, 8));
    assert_string_equal(small, "store,s");
    assert_int_equal(small[8], '#');
    assert_string_equal(config.socket, running.socket);
    assert_string_equal(config.user, "");
}

static int
make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int
remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void
the_control_socket_lies_beside_the_other_unless_it_has_a_path(void **state)
{
    char longest[CONFIG_PATH_BYTES + 16];

    (void)state;
    assert_int_equal(read_flags(NULL, NULL, NULL, NULL), ERR_OK);
    assert_string_equal(config.control, "/run/imd/control.sock");
    assert_int_equal(read_flags("--socket=/a/b/c.sock", NULL, NULL, NULL), ERR_OK);
    assert_string_equal(config.control, "/a/b/control.sock");
    assert_int_equal(read_flags("--control=root.sock", "--socket=/a/b/c.sock", NULL, NULL), ERR_OK);
    assert_string_equal(config.control, "/a/b/root.sock");
    assert_int_equal(read_flags("--socket=c.sock", NULL, NULL, NULL), ERR_OK);
    assert_string_equal(config.control, "control.sock");
    assert_int_equal(read_flags("--socket=/c.sock", NULL, NULL, NULL), ERR_OK);
    assert_string_equal(config.control, "/control.sock");
    assert_int_equal(read_flags("--control=/x/y.sock", NULL, NULL, NULL), ERR_OK);
    assert_string_equal(config.control, "/x/y.sock");
    assert_int_equal(read_flags("--control=./y.sock", NULL, NULL, NULL), ERR_OK);
    assert_string_equal(config.control, "./y.sock");

    memset(longest, 's', sizeof(longest));
    memcpy(longest, "--socket=/", 10);
    longest[9 + CONFIG_PATH_BYTES - 1] = '\0';
    longest[9 + CONFIG_PATH_BYTES - 3] = '/';
    assert_int_equal(read_flags(longest, NULL, NULL, NULL), ERR_CONFIG);
    assert_non_null(strstr(message, "control"));
    assert_int_equal(read_flags(longest, "--control=/x/y.sock", NULL, NULL), ERR_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given_means_the_defaults),
        cmocka_unit_test(a_file_may_hold_comments_blanks_and_every_key),
        cmocka_unit_test(a_yes_may_be_given_without_a_value),
        cmocka_unit_test(the_last_yes_or_no_counts),
        cmocka_unit_test(a_mode_is_one_of_three),
        cmocka_unit_test(a_text_may_be_empty),
        cmocka_unit_test(flags_override_the_file_in_any_order),
        cmocka_unit_test(every_limit_is_allowed_and_nothing_beyond),
        cmocka_unit_test(a_path_may_fill_its_room),
        cmocka_unit_test(a_uri_may_fill_its_room),
        cmocka_unit_test(a_database_is_a_store_of_sqlite),
        cmocka_unit_test(a_store_and_a_database_together_are_refused),
        cmocka_unit_test(a_wrong_flag_is_named_with_the_allowed_values),
        cmocka_unit_test(a_wrong_line_is_named_by_its_number),
        cmocka_unit_test(a_long_line_is_read_whole),
        cmocka_unit_test(a_message_never_leaves_its_room),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(help_and_version_are_recognised),
        cmocka_unit_test(the_control_socket_lies_beside_the_other_unless_it_has_a_path),
        cmocka_unit_test(a_reload_keeps_and_names_settings_that_need_a_restart),
        cmocka_unit_test(keys_that_changed_never_leave_their_room),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
