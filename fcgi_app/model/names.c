/* names.c - see names.h. */
#include "model/names.h"

#include "model/model.h"

bool
names_valid(struct str name)
{
    if (name.n == 0 || name.n > USERNAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}
