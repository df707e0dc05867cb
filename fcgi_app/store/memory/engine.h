/* engine.h - what a store in memory is made of. */
#ifndef IMD_STORE_MEMORY_ENGINE_H
#define IMD_STORE_MEMORY_ENGINE_H

#include <pthread.h>
#include "run/shared.h"
#include "store/memory/state.h"

struct engine {
    struct engine *next;
    char *path;
    int stores;            /* that are open */
    struct shared *shared; /* of the first store that writes */
    pthread_mutex_t mutex; /* guards what follows; held while a command runs */
    struct arena bytes;    /* of all strings */
    struct db *newest;
    char undeclared[UNDECLARED_BYTES]; /* the first read that its command did not declare; "": none */
};

#endif
