/* status.h - the status of a running imd, for its operator. */
#ifndef IMD_DOMAIN_STATUS_H
#define IMD_DOMAIN_STATUS_H

#include "domain/health.h"
#include "store/instance.h"
#include "store/housekeeping.h"
#include "store/size.h"

struct status {
    bool storage_works; /* commits succeed, and the database can be read */
    bool relay_works;   /* the relay's loop runs */
    struct health health;
    int64_t relay_lag_ms; /* the age of the oldest change that is not pushed yet; 0: all are */
    bool is_read;         /* the next two were read from the database */
    struct instance instance;
    struct size size;
};

/*
 * Fills *status in any case; a value that cannot be read is zero. May open a transaction, as
 * health_check() does, and takes a snapshot of its own.
 */
void status_read(struct store *store, struct shared *shared, struct status *status);

/* Fills *view, without reading the database. */
void status_housekeeping(const struct store *store, struct shared *shared, struct housekeeping_view *view);

#endif
