/* openapi.c - the handler of /openapi.json. */
#include "api/openapi.h"

#include "api/context.h"

/* GET /openapi.json */
enum err
api_openapi(struct context *x)
{
    for (int i = 0; i < openapi_line_count; i++)
        buf_c(&x->response->body, openapi_lines[i]);
    return ERR_OK;
}
