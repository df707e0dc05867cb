/* data.h - the contents of stores in memory. All stores of one URI in one process share them. */
#ifndef IMD_STORE_MEMORY_DATA_H
#define IMD_STORE_MEMORY_DATA_H

#include <pthread.h>
#include "run/shared.h"
#include "store/memory/state.h"

struct data {
    struct connections face; /* first */
    struct data *next;
    char *uri;
    int stores;            /* that are open */
    struct shared *shared; /* of the first store that writes */
    pthread_mutex_t mutex; /* guards what follows; held while a command runs */
    struct arena bytes;    /* of all strings */
    struct state *newest;
    char undeclared[UNDECLARED_BYTES]; /* the first read that its command did not declare; "": none */
};

/* What an open store holds. Its engine must be the one in memory. */
static inline struct data *
data_of(const struct store *s)
{
    return (struct data *)(void *)s->connections;
}

#endif
