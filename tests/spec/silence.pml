/*
 * silence.pml - a model of who is published to (fcgi_app/push/silence.c): one user, two sockets that open and
 * close, changes that are committed, the relay that publishes them, its thread that asks nchan, and time.
 *
 * Checked: no change is withheld from a user whose socket had opened before the change was committed, and is
 * still open. test_silence_withholds_no_push.py checks all interleavings, and that each of the mistakes below
 * is found: -DNO_EXPIRY and so on.
 *
 * One unit of time is 5 s. Clocks are read truncated, as milliseconds are, so "within a unit" is "before the
 * unit after the next one begins".
 */
#define EXPIRY 1 /* a redirect is followed for so long */
#define COUNT  1 /* nchan has counted a subscriber before so long has passed */
#define QUIET  2 /* users granted a subscription within this time are not asked about */
#define END    4

#define SOCKETS 2
#define CHANGES 2

byte now;

/* run/grants.h: a stamp is a number that never repeats, and the time when it was made. */
byte stamp = 1;
byte stamped;

/* nchan */
byte subscribers;

/* The sockets: as the client sees them, and whether nchan still has to count one. */
bool open[SOCKETS];
bool uncounted[SOCKETS];
byte followed[SOCKETS];

/* The database. Whose socket had opened when a change was committed is told apart: it must be pushed there. */
byte committed;
bool owed[4]; /* by change and socket */

/* The entry of the user in the relay's table. */
bool silent;
byte silent_stamp;

#ifdef SLOW_COUNT
#define COUNTS_IN_TIME true
#else
#define COUNTS_IN_TIME \
    !(uncounted[0] && now + 1 >= followed[0] + COUNT + 1) && \
    !(uncounted[1] && now + 1 >= followed[1] + COUNT + 1)
#endif

active proctype clock()
{
    do
    :: atomic { now < END && COUNTS_IN_TIME -> now++ }
    :: now == END -> break
    od
}

inline note_grant()
{
    atomic { stamp++; stamped = now }
}

/* imd answers GET /ws, nginx follows the redirect, nchan subscribes, the client closes some time. */
proctype socket(byte i; bool granted_before_start; byte start)
{
    byte expires;

    if
    :: granted_before_start -> expires = start + EXPIRY /* by the imd before this one */
    :: else ->
        expires = now + EXPIRY;
#ifndef NOTE_LATE
        note_grant();
#endif
    fi;
    /* The redirect is on its way, and may be for as long as it likes. */
    if
    :: atomic {
#ifdef NO_EXPIRY
        true
#else
        now <= expires
#endif
        -> /* nchan writes the status line first and counts afterwards */
        open[i] = true;
        followed[i] = now;
        uncounted[i] = true }
    :: now > expires -> goto refused
    fi;
#ifdef NOTE_LATE
    if
    :: granted_before_start
    :: else -> note_grant()
    fi;
#endif
    atomic { subscribers++; uncounted[i] = false };
    atomic { subscribers--; open[i] = false };
refused:
    skip
}

/* Anybody writes. */
active proctype writer()
{
    do
    :: atomic { committed < CHANGES ->
        owed[committed * SOCKETS] = open[0];
        owed[committed * SOCKETS + 1] = open[1];
        committed++ }
    :: committed == CHANGES -> break
    od
}

inline look()
{
    /* silence_filter(): stamps are read one by one, the table under a mutex. */
    atomic {
#ifdef NO_COMPARISON
        withheld = silent
#else
        withheld = silent && silent_stamp == stamp
#endif
    }
}

active proctype relay()
{
    byte next;
    bool withheld;

    do
    :: next < CHANGES ->
#ifdef FILTER_EARLY
        look();
        committed > next;
#else
        committed > next;
        look();
#endif
        atomic {
#ifdef NOTHING_IS_WITHHELD
            assert(!withheld);
#endif
            assert(!(withheld && owed[next * SOCKETS] && open[0]));
            assert(!(withheld && owed[next * SOCKETS + 1] && open[1]));
            owed[next * SOCKETS] = false;
            owed[next * SOCKETS + 1] = false;
            withheld = false;
            next++
        }
    :: next == CHANGES -> break
    od
}

active proctype asker()
{
    byte known;
    byte known_time;
    bool nobody;

end:
    do
    :: atomic { known = stamp; known_time = stamped };
#ifdef NO_QUIET
        true;
#else
        if
        :: now >= known_time + QUIET + 1
        :: else -> goto again
        fi;
#endif
        /* The question and the answer. */
        nobody = subscribers == 0;
#ifdef STAMP_AFTER_ANSWER
        atomic { known = stamp; known_time = stamped };
#endif
        atomic { silent = nobody; silent_stamp = known; known = 0; known_time = 0; nobody = false };
again:
        skip
    od
}

init
{
    atomic {
#ifdef OLD_GRANTS_FORGOTTEN
        /* As if nobody had been granted anything for long when this imd started. */
        now = QUIET + 1;
#endif
        run socket(0, true, now);
        run socket(1, false, now)
    }
}
