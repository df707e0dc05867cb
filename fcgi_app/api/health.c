/* health.c - the handler of /healthz. */
#include "api/context.h"
#include "domain/health.h"

/* GET /healthz */
enum err
api_health(struct context *x)
{
    struct health health;
    enum err err = health_check(x->store, x->shared, &health);

    if (err == ERR_OK)
        buf_printf(&x->response->body,
                   "{\"status\":\"ok\",\"push\":\"%s\",\"outbox_pending\":%lld,\"clock_behind_s\":%lld}",
                   health.push_connected ? "connected" : "connecting", (long long)health.outbox_pending,
                   (long long)health.clock_behind_s);
    return err;
}
