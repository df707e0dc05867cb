/*
 * metrics.c - the handler of /metrics, in the Prometheus text format 0.0.4. Must not know any route
 * by name.
 */
#include "api/context.h"
#include "domain/status.h"

static void
metric(struct buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
               (unsigned long long)value);
}

static uint64_t
get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/*
 * Writes the labels of a row of the route table. The row after the last stands for requests without
 * a route.
 */
static void
row_labels(const struct context *x, size_t row, struct buf *b)
{
    if (row < x->route_count)
        buf_printf(b, "{method=\"%s\",path=\"%s\"", x->routes[row].method, x->routes[row].path);
    else
        buf_c(b, "{method=\"\",path=\"\"");
}

static size_t
counted_row(const struct context *x, size_t row)
{
    return row < x->route_count ? row : SHARED_ROUTES_MAX - 1;
}

static void
answers(const struct context *x, struct buf *b)
{
    const struct shared_counters *c = &x->shared->counters;

    buf_c(b, "# HELP imd_answers_total Requests answered, by route and class of status.\n"
             "# TYPE imd_answers_total counter\n");
    for (size_t row = 0; row <= x->route_count; row++)
        for (int class = 0; class < 5; class ++) {
            uint64_t n = get(&c->answers[counted_row(x, row)][class]);

            if (n == 0)
                continue;
            buf_c(b, "imd_answers_total");
            row_labels(x, row, b);
            buf_printf(b, ",status=\"%dxx\"} %llu\n", class + 1, (unsigned long long)n);
        }
    buf_c(b, "# HELP imd_answer_seconds_total Time that the answers took inside imd, waits included.\n"
             "# TYPE imd_answer_seconds_total counter\n");
    for (size_t row = 0; row <= x->route_count; row++) {
        uint64_t us = get(&c->answer_us[counted_row(x, row)]);

        if (us == 0)
            continue;
        buf_c(b, "imd_answer_seconds_total");
        row_labels(x, row, b);
        buf_printf(b, "} %llu.%06llu\n", (unsigned long long)us / 1000000, (unsigned long long)us % 1000000);
    }
}

/* Writes the metrics of the store. */
static void
commits(const struct context *x, struct buf *b)
{
    const struct shared_counters *c = &x->shared->counters;
    struct housekeeping_view view;

    status_housekeeping(x->store, x->shared, &view);
    metric(b, "imd_commits_total", "counter", "Transactions committed, each with one fsync.",
           get(&c->commits));
    metric(b, "imd_commits_failed_total", "counter", "Transactions that the disk or a lock refused.",
           get(&c->commits_failed));
    metric(b, "imd_commands_total", "counter", "Commands that ran in transactions.", get(&c->commands));
    metric(b, "imd_checkpoints_total", "counter", "Checkpoints of the write-ahead log.",
           (uint64_t)view.checkpoints);
    metric(b, "imd_wal_pages", "gauge", "Length of the write-ahead log after the last commit.",
           (uint64_t)view.log_pages);
}

/* Writes the metrics of the relay. */
static void
pushes(struct buf *b, const struct shared *s)
{
    const struct shared_counters *c = &s->counters;

    metric(b, "imd_push_connections_total", "counter", "Times the relay connected to nchan.",
           get(&c->push_connections));
    metric(b, "imd_pushes_total", "counter", "Frames handed to nchan, each for up to 255 users.",
           get(&c->pushes));
    metric(b, "imd_pushed_changes_total", "counter", "Changes handed to nchan; some come twice.",
           get(&c->pushed_changes));
    metric(b, "imd_copies_avoided_total", "counter",
           "Copies of frames not handed to nchan, because their users are known to have no subscription.",
           get(&c->copies_avoided));
    metric(b, "imd_silent_names", "gauge", "Users known to have no subscription.",
           (uint64_t)atomic_load(&s->silent_names));
    metric(b, "imd_push_dropped_total", "counter", "Changes not pushed: too old, or refused by nchan.",
           get(&c->dropped_changes));
}

/* GET /metrics */
enum err
api_metrics(struct context *x)
{
    const struct shared *s = x->shared;
    const struct shared_counters *c = &s->counters;
    struct buf *b = &x->response->body;
    int64_t pending = atomic_load(&s->committed_change) - atomic_load(&s->acknowledged_change);

    x->response->content_type = "text/plain; version=0.0.4";
    answers(x, b);
    commits(x, b);
    metric(b, "imd_limited_total", "counter",
           "Requests that got 429 because their caller exceeded user_rate.", get(&c->limited));
    metric(b, "imd_outbox_pending", "gauge", "Changes committed and not yet delivered to nchan.",
           pending < 0 ? 0 : (uint64_t)pending);
    metric(b, "imd_push_connected", "gauge", "1 while nchan answers the relay.",
           atomic_load(&s->relay_connected) ? 1 : 0);
    metric(b, "imd_clock_behind_seconds", "gauge",
           "How far the wall clock is behind the newest timestamp stored; 0: by less than a minute.",
           (uint64_t)atomic_load(&s->clock_behind_ms) / 1000);
    pushes(b, s);
    return ERR_OK;
}
