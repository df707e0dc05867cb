/*
 * control.c - the handlers that exist only on the control socket, for operators.
 *
 * Their clients are imctl, and scripts through `imctl --json`. Both answers are flat, so that they
 * are easy to read.
 */
#include <inttypes.h>
#include <unistd.h>
#include "api/input.h"
#include "base/clock.h"
#include "domain/status.h"
#include "model/names.h"
#include "push/presence.h"
#include "wire/json.h"

#ifndef IMD_VERSION
#define IMD_VERSION "0"
#endif

/* As many names as one round of questions to nchan may have (push/presence.h). */
#define ROUND_NAMES 1000
/* A relay that keeps up pushes within milliseconds. */
#define LAG_MS_MAX 5000
/* A process that died within this time is reported as a problem. */
#define DEATH_MS_RECENT 3600000

/* Adds a sentence to the list of problems. */
static void
complain(struct buf *b, bool wrong, const char *sentence)
{
    if (!wrong)
        return;
    json_comma(b);
    json_quote(b, str_c(sentence));
}

/* Lists the problems, the worst first. */
static void
write_wrong(const struct context *x, const struct status *s, struct buf *b)
{
    const struct shared *shared = x->shared;
    int64_t death_ms = atomic_load(&shared->child_death_ms);

    buf_c(b, "{\"wrong\":[");
    complain(b, !s->storage_works,
             "The database refuses commits or cannot be read: look for storage_failed in imd's log");
    complain(b, !s->relay_works,
             "The relay does not run, so nothing is pushed: look for child_died in imd's log");
    complain(b, s->relay_works && !s->health.push_connected,
             "The relay has no connection to nginx, so nothing is pushed: check push_socket and nginx");
    complain(b, s->relay_lag_ms > LAG_MS_MAX, "Pushes are late: relay_lag_ms says by how much");
    complain(b, s->health.clock_behind_s > 0,
             "The clock is behind the newest stored time: see imctl help repair-clock");
    complain(b, death_ms != 0 && clock_wall_ms() - death_ms < DEATH_MS_RECENT,
             "A worker or the relay ended unexpectedly in the last hour: look for child_died in imd's log");
    buf_c(b, "]");
}

/* Writes the members about the processes. */
static void
write_processes(const struct context *x, struct buf *b)
{
    struct shared *s = x->shared;
    int64_t started_ms = atomic_load(&s->started_ms);

    buf_printf(b, ",\"version\":\"%s\",\"started_at\":%" PRId64 ",\"uptime_ms\":%" PRId64, IMD_VERSION,
               started_ms, clock_wall_ms() - started_ms);
    buf_printf(b, ",\"master_pid\":%d,\"workers\":%" PRId64 ",\"threads\":%" PRId64, (int)getppid(),
               x->config->processes, x->config->threads);
    buf_printf(b, ",\"child_deaths\":%" PRIu64, (uint64_t)atomic_load(&s->counters.child_deaths));
}

/* Writes the members about the database; leaves them out if it cannot be read. */
static void
write_database(const struct status *s, struct buf *b)
{
    if (!s->is_read)
        return;
    buf_printf(b, ",\"schema\":%" PRId64 ",\"epoch\":\"%s\",\"tick\":%" PRId64, s->size.schema,
               s->instance.epoch, s->instance.tick);
    buf_printf(b, ",\"last_message_id\":%" PRId64 ",\"database_bytes\":%" PRId64 ",\"log_bytes\":%" PRId64,
               s->instance.last_message_id, s->size.database_bytes, s->size.log_bytes);
    buf_printf(b, ",\"relay_lag_ms\":%" PRId64, s->relay_lag_ms);
}

/* Writes the counters of the shared page. */
static void
write_counters(const struct context *x, const struct status *s, struct buf *b)
{
    struct shared_counters *c = &x->shared->counters;
    const struct {
        const char *name;
        uint64_t value;
    } counters[] = {
        {"outbox_pending", (uint64_t)s->health.outbox_pending},
        {"clock_behind_s", (uint64_t)s->health.clock_behind_s},
        {"silent_names", (uint64_t)atomic_load(&x->shared->silent_names)},
        {"commits", atomic_load(&c->commits)},
        {"commits_failed", atomic_load(&c->commits_failed)},
        {"commands", atomic_load(&c->commands)},
        {"pushed_changes", atomic_load(&c->pushed_changes)},
        {"dropped_changes", atomic_load(&c->dropped_changes)},
        {"limited", atomic_load(&c->limited)},
    };

    buf_printf(b, ",\"push\":\"%s\"", s->health.push_connected ? "connected" : "connecting");
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        buf_printf(b, ",\"%s\":%" PRIu64, counters[i].name, counters[i].value);
    buf_c(b, "}");
}

/* GET /control/status */
enum err
api_status(struct context *x)
{
    struct buf *body = &x->response->body;
    struct status status;

    status_read(x->store, x->shared, &status);
    write_wrong(x, &status, body);
    write_processes(x, body);
    write_database(&status, body);
    write_counters(x, &status, body);
    return ERR_OK;
}

/* Takes all parameters "username" into the arena. */
static enum err
read_names(struct context *x, struct str **names, size_t *count)
{
    const struct request *r = x->request;

    *count = 0;
    *names = arena_alloc(x->arena, (r->param_count + 1) * sizeof(**names));
    if (*names == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < r->param_count; i++) {
        if (!str_is(r->params[i].name, "username"))
            continue;
        if (!names_valid(r->params[i].value))
            return ERR_USERNAME;
        (*names)[(*count)++] = r->params[i].value;
    }
    return *count == 0 ? ERR_USERNAME : ERR_OK;
}

/* GET /control/listeners?username=&username= */
enum err
api_listeners(struct context *x)
{
    struct buf *body = &x->response->body;
    struct str *names;
    bool *online;
    size_t count;
    enum err err = read_names(x, &names, &count);

    if (err != ERR_OK)
        return err;
    online = arena_alloc(x->arena, count * sizeof(*online));
    if (online == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < count && err == ERR_OK; i += ROUND_NAMES)
        err = presence_ask(x->presence, names + i, count - i < ROUND_NAMES ? count - i : ROUND_NAMES,
                           online + i);
    if (err != ERR_OK)
        return err == ERR_MEMORY ? err : ERR_PRESENCE;
    buf_c(body, "{\"listening\":[");
    for (size_t i = 0; i < count; i++)
        if (online[i]) {
            json_comma(body);
            json_quote(body, names[i]);
        }
    buf_c(body, "]}");
    return ERR_OK;
}
