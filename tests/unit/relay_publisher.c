/*
 * Checks: each change is published to its audience and to no other user, in its present state.
 * Changes with the same audience share a frame. In each conversation no user misses a version,
 * however the batches are cut. An event that is too large for its audience goes without its object.
 * A change that is too old is dropped.
 *
 * nchan is a socket that accepts everything.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <jansson.h>
#include "base/clock.h"
#include "domain/amend.h"
#include "domain/converse.h"
#include "domain/reading.h"
#include "push/nchan.h"
#include "relay/publisher.h"

/* A publisher between a store and an nchan. */
struct stage {
    struct place *place;
    struct sockaddr_un address;
    int listen_fd;
    int peer_fd; /* nchan's end */
    struct nchan *nchan;
    struct publisher publisher;
    int64_t taken; /* up to this change */
    struct buf in; /* everything given to nchan */
};

static int
set_stage(void **state)
{
    struct stage *s = calloc(1, sizeof(*s));
    struct snapshot *snapshot;
    struct instance instance;

    assert_non_null(s);
    support_open(state);
    s->place = *state;
    s->address.sun_family = AF_UNIX;
    snprintf(s->address.sun_path, sizeof(s->address.sun_path), "%s/push", s->place->dir);
    s->listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listen_fd, (const struct sockaddr *)&s->address, sizeof(s->address)), 0);
    assert_int_equal(listen(s->listen_fd, 1), 0);
    assert_int_equal(nchan_new(&s->nchan, s->address.sun_path), ERR_OK);
    assert_int_equal(nchan_connect(s->nchan), ERR_OK);
    s->peer_fd = accept(s->listen_fd, NULL, NULL);
    s->publisher =
        (struct publisher){.nchan = s->nchan, .shared = s->place->shared, .batch_max = PUBLISHER_BATCH_MAX};
    s->publisher.store = &s->place->store;
    snapshot = support_begin(s->place);
    assert_int_equal(instance_get(snapshot->db, &instance), ERR_OK);
    memcpy(s->publisher.epoch, instance.epoch, sizeof(s->publisher.epoch));
    snapshot_end(snapshot);
    *state = s;
    return 0;
}

static int
strike_stage(void **state)
{
    struct stage *s = *state;

    publisher_clear(&s->publisher);
    nchan_free(s->nchan);
    close(s->peer_fd);
    close(s->listen_fd);
    unlink(s->address.sun_path);
    buf_clear(&s->in);
    *state = s->place;
    free(s);
    return support_close(state);
}

/* --- the publishes, as lines: "ann,bob: EVENT@VERSION …; EVENT …" */

static void
add_text(struct buf *b, const json_t *object, const char *key, const char *before, const char *after)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_string(value))
        buf_printf(b, "%s%s%s", before, json_string_value(value), after);
    else if (json_is_integer(value))
        buf_printf(b, "%s%lld%s", before, (long long)json_integer_value(value), after);
}

static void
describe_event(struct buf *b, const json_t *event)
{
    const json_t *message = json_object_get(event, "message");
    const json_t *object = json_object_get(event, "object");

    add_text(b, event, "event", "", "");
    add_text(b, event, "version", "@", "");
    add_text(b, message, "content", " \"", "\"");
    add_text(b, object, "title", " \"", "\" of");
    for (size_t i = 0; i < json_array_size(json_object_get(object, "members")); i++)
        buf_printf(b, " %s", json_string_value(json_array_get(json_object_get(object, "members"), i)));
    add_text(b, event, "username", " ", "");
    add_text(b, event, "emoji", " ", json_is_true(json_object_get(event, "added")) ? " added" : " removed");
    add_text(b, event, "seq", " ", "");
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
describe_channels(struct buf *b, char *list)
{
    char *names[NCHAN_CHANNELS_MAX];
    size_t count = 0;
    char *rest = NULL;

    for (char *name = strtok_r(list, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest)) {
        assert_true(count < NCHAN_CHANNELS_MAX);
        names[count++] = name;
    }
    qsort(names, count, sizeof(*names), by_text);
    for (size_t i = 0; i < count; i++)
        buf_printf(b, "%s%s", i > 0 ? "," : "", names[i]);
}

/* Takes one POST off the front of `in`; its body in *frame. */
static void
take_post(struct buf *in, char channels[8192], json_t **frame)
{
    size_t body_bytes;
    char *body;
    char *head;

    buf_add(in, "", 1);
    head = strstr(in->p, "X-Channels: ");
    assert_non_null(head);
    assert_int_equal(sscanf(head, "X-Channels: %8191[^\r]", channels), 1);
    head = strstr(in->p, "Content-Length: ");
    assert_non_null(head);
    assert_int_equal(sscanf(head, "Content-Length: %zu", &body_bytes), 1);
    body = strstr(in->p, "\r\n\r\n") + 4;
    assert_true(body + body_bytes < in->p + in->n);
    *frame = json_loadb(body, body_bytes, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(*frame);
    assert_string_equal(json_string_value(json_object_get(*frame, "type")), "notify");
    in->n -= 1;
    buf_shift(in, (size_t)(body - in->p) + body_bytes);
}

/* Reads everything that the publisher has queued. */
static void
fetch(struct stage *s)
{
    ssize_t n;

    do {
        assert_int_equal(nchan_write(s->nchan), ERR_OK);
        while ((n = recv(s->peer_fd, buf_reserve(&s->in, 65536), 65536, MSG_DONTWAIT)) > 0)
            s->in.n += (size_t)n;
    } while (nchan_wants_write(s->nchan));
}

static const char *
described(struct stage *s)
{
    struct buf text = {0};
    struct str copy;

    fetch(s);
    while (s->in.n > 0) {
        char channels[8192];
        json_t *frame;
        const json_t *events;

        take_post(&s->in, channels, &frame);
        assert_string_equal(json_string_value(json_object_get(frame, "epoch")), s->publisher.epoch);
        events = json_object_get(frame, "events");
        describe_channels(&text, channels);
        for (size_t i = 0; i < json_array_size(events); i++) {
            buf_c(&text, i == 0 ? ": " : "; ");
            describe_event(&text, json_array_get(events, i));
        }
        buf_c(&text, "\n");
        json_decref(frame);
    }
    copy = arena_copy(&s->place->arena, (struct str){text.p, text.n});
    buf_clear(&text);
    return copy.p;
}

/* Runs one batch, and returns its publishes. */
static const char *
told(struct stage *s, struct batch_result *result)
{
    assert_int_equal(publisher_batch(&s->publisher, s->taken, result), ERR_OK);
    assert_true(result->last_id >= s->taken);
    s->taken = result->last_id;
    return described(s);
}

/* Asserts that the next batch publishes exactly this. */
static void
assert_told(struct stage *s, const char *lines)
{
    struct batch_result result;

    assert_string_equal(told(s, &result), lines);
}

/* --- the commands */

static void
edit(struct place *place, int64_t id, const char *username, const char *content)
{
    struct amendment a = {
        .arena = &place->arena, .id = id, .actor.username = str_c(username), .content = str_c(content)};

    assert_int_equal(amend_edit(&place->store, &a), ERR_OK);
}

static void
erase(struct place *place, int64_t id, const char *username)
{
    struct amendment a = {.arena = &place->arena, .id = id, .actor.username = str_c(username)};

    assert_int_equal(amend_delete(&place->store, &a), ERR_OK);
}

static void
react(struct place *place, int64_t id, const char *username, const char *emoji)
{
    struct amendment a = {
        .arena = &place->arena, .id = id, .actor.username = str_c(username), .emoji = str_c(emoji)};

    assert_int_equal(amend_react(&place->store, &a), ERR_OK);
}

static void
name(struct place *place, int64_t conversation, const char *username, const char *title)
{
    struct settings_change settings = {
        .arena = &place->arena, .id = conversation, .actor.username = str_c(username), .title = str_c(title)};

    assert_int_equal(converse_set_settings(&place->store, &settings), ERR_OK);
}

static void
mark(struct place *place, int64_t conversation, const char *username, int64_t seq)
{
    struct reading r = {
        .arena = &place->arena, .conversation = conversation, .username = str_c(username), .seq = seq};

    assert_int_equal(reading_mark(&place->store, &r), ERR_OK);
}

static void
send_signal(struct stage *s, int32_t conversation, const char *username)
{
    struct shared_signal signal = {.conversation = conversation};

    snprintf(signal.username, sizeof(signal.username), "%s", username);
    assert_int_equal(publisher_signal(&s->publisher, &signal), ERR_OK);
}

/* --- the tests */

static void
each_change_reaches_its_audience(void **state)
{
    struct stage *s = *state;
    struct place *place = s->place;
    int64_t group = support_create(place, TYPE_GROUP, "bob ann");
    struct message m;

    support_create(place, TYPE_GROUP, "cid");
    assert_told(s, "ann,bob: conversation.created@1 \"\" of ann bob\n"
                   "cid: conversation.created@1 \"\" of cid\n");
    m = support_send(place, group, "ann", "hi");
    assert_told(s, "ann,bob: message.created@2 \"hi\"\n");
    support_join(place, group, "cid");
    assert_told(s, "ann,bob,cid: member.joined@3 cid\n");
    edit(place, m.id, "ann", "hey");
    assert_told(s, "ann,bob,cid: message.updated@4 \"hey\"\n");
    react(place, m.id, "cid", "+1");
    assert_told(s, "ann,bob,cid: message.updated@5 \"hey\" cid +1 added\n");
    support_leave(place, group, "bob");
    assert_told(s, "ann,bob,cid: member.left@6 bob\n");
    name(place, group, "cid", "Us");
    assert_told(s, "ann,cid: conversation.updated@7 \"Us\" of ann cid\n");
    erase(place, m.id, "ann");
    assert_told(s, "ann,cid: message.deleted@8 \"\"\n");
    assert_told(s, "");
}

static void
a_frame_is_the_text_that_answers_have(void **state)
{
    struct stage *s = *state;
    struct place *place = s->place;
    int64_t group = support_create(place, TYPE_GROUP, "ann");
    struct batch_result result;
    struct message m;
    char want[512];

    told(s, &result);
    m = support_send(place, group, "ann", "\"hi\"\n");
    assert_int_equal(publisher_batch(&s->publisher, s->taken, &result), ERR_OK);
    fetch(s);
    buf_add(&s->in, "", 1);
    snprintf(want, sizeof(want),
             "\r\n\r\n{\"type\":\"notify\",\"epoch\":\"%s\",\"events\":[{\"event\":\"message.created\","
             "\"conversation\":1,\"version\":2,\"message\":{\"id\":1,\"conversation\":1,\"seq\":1,"
             "\"sender\":\"ann\",\"content\":\"\\\"hi\\\"\\n\",\"timestamp\":%" PRId64 "}}]}",
             s->publisher.epoch, m.timestamp);
    assert_string_equal(strstr(s->in.p, "\r\n\r\n"), want);
}

static void
a_read_marker_reaches_few_members_or_one_of_many(void **state)
{
    struct stage *s = *state;
    struct place *place = s->place;
    int64_t few = support_create(place, TYPE_GROUP, "ann bob cid");
    int64_t many = support_create(place, TYPE_GROUP, support_crowd(place, MEMBERS_FEW + 1));
    struct batch_result result;

    support_send(place, few, "ann", "a");
    support_send(place, many, "m000", "b");
    told(s, &result);
    mark(place, few, "bob", 1);
    assert_told(s, "ann,bob,cid: read bob 1\n");
    mark(place, many, "m007", 1);
    assert_told(s, "m007: read m007 1\n");
    support_leave(place, many, "m050");
    mark(place, many, "m008", 1);
    assert_non_null(strstr(told(s, &result), ",m100: read m008 1\n"));
}

/* However closely it follows a change for all of them. */
static void
a_read_marker_among_many_stays_its_owners(void **state)
{
    struct stage *s = *state;
    struct place *place = s->place;
    int64_t many = support_create(place, TYPE_GROUP, support_crowd(place, MEMBERS_FEW + 1));
    struct batch_result result;
    const char *lines;

    told(s, &result);
    support_send(place, many, "m000", "a");
    mark(place, many, "m007", 1);
    mark(place, many, "m008", 1);
    support_send(place, many, "m000", "b");
    lines = told(s, &result);
    assert_non_null(strstr(lines, ",m100: message.created@2 \"a\"\n"));
    assert_non_null(strstr(lines, "\nm007: read m007 1\nm008: read m008 1\nm000,"));
    assert_non_null(strstr(lines, ",m100: message.created@3 \"b\"\n"));
    assert_int_equal(result.frames, 4);
}

static void
former_members_get_no_events(void **state)
{
    struct stage *s = *state;
    struct place *place = s->place;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob cid");
    struct batch_result result;

    support_send(place, group, "ann", "a");
    support_leave(place, group, "bob");
    told(s, &result);
    send_signal(s, group, "ann");
    assert_string_equal(described(s), "cid: typing ann\n");
    mark(place, group, "ann", 1);
    assert_told(s, "ann,cid: read ann 1\n");
}

static void
a_ping_is_an_empty_frame_for_its_user(void **state)
{
    struct stage *s = *state;
    struct batch_result result;

    support_create(s->place, TYPE_PRIVATE, "ann bob");
    told(s, &result);
    send_signal(s, 0, "bob");
    assert_string_equal(described(s), "bob\n");
}

static void
typing_reaches_the_other_members_of_small_conversations(void **state)
{
    struct stage *s = *state;
    struct place *place = s->place;
    int64_t few = support_create(place, TYPE_GROUP, support_crowd(place, MEMBERS_FEW));
    int64_t small = support_create(place, TYPE_PRIVATE, "ann bob");
    struct batch_result result;
    const char *lines;

    told(s, &result);
    send_signal(s, small, "bob");
    assert_string_equal(described(s), "ann: typing bob\n");
    send_signal(s, few, "m001");
    lines = described(s);
    assert_non_null(strstr(lines, "m000,m002,m003,"));
    assert_non_null(strstr(lines, ",m099: typing m001\n"));
    /* By a stranger, by an unknown user, in no conversation. */
    send_signal(s, small, "m001");
    send_signal(s, small, "zoe");
    send_signal(s, 99, "ann");
    assert_string_equal(described(s), "");
    support_join(place, few, "ann");
    told(s, &result);
    send_signal(s, few, "m001");
    assert_string_equal(described(s), "");
}

static void
changes_for_the_same_users_share_a_frame(void **state)
{
    struct stage *s = *state;
    struct place *place = s->place;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    int64_t other = support_create(place, TYPE_GROUP, "cid");
    struct batch_result result;
    struct message m = support_send(place, group, "ann", "a");

    support_send(place, other, "cid", "b");
    mark(place, group, "bob", 1);
    edit(place, m.id, "ann", "c");
    support_join(place, group, "cid");
    support_send(place, group, "cid", "d");
    name(place, other, "cid", "O");
    support_leave(place, group, "ann");
    support_send(place, group, "bob", "e");
    /*
     * Messages are shown as they are now, a conversation as it was then, except for its title.
     * Members who have left since get neither's new state.
     */
    assert_string_equal(
        told(s, &result),
        "bob: conversation.created@1 \"\" of ann bob; message.created@2 \"c\"; read bob 1; "
        "message.updated@3 \"c\"\n"
        "ann: conversation.created@1; message.created@2; read bob 1; message.updated@3 \"c\"\n"
        "ann,bob,cid: member.joined@4 cid\n"
        "ann,bob,cid: message.created@5 \"d\"\n"
        "ann,bob,cid: member.left@6 ann\n"
        "bob,cid: message.created@7 \"e\"\n"
        "cid: conversation.created@1 \"O\" of cid; message.created@2 \"b\"; conversation.updated@3 \"O\" of "
        "cid\n");
    assert_int_equal(result.taken, 11);
    assert_int_equal(result.frames, 7);
    assert_int_equal(result.last_id, 11);
    assert_told(s, "");
}

/* nchan keeps a copy of a frame for each of them. */
static void
events_too_large_for_their_audience_are_thin(void **state)
{
    enum { MANY = 300, LARGE = 60000 };
    struct stage *s = *state;
    struct place *place = s->place;
    int64_t group = support_create(place, TYPE_GROUP, support_crowd(place, MANY));
    int64_t small = support_create(place, TYPE_GROUP, "m000 m001");
    char *content = arena_alloc(&place->arena, LARGE + 1);
    struct batch_result result;
    const char *lines;

    told(s, &result);
    memset(content, 'x', LARGE);
    support_send(place, group, "m000", content);
    lines = told(s, &result);
    assert_int_equal(result.frames, 2);
    assert_non_null(strstr(lines, ",m254: message.created@2\nm255,"));
    assert_non_null(strstr(lines, ",m299: message.created@2\n"));
    support_send(place, small, "m000", content);
    lines = told(s, &result);
    assert_non_null(strstr(lines, "m000,m001: message.created@2 \"xxxx"));
    support_send(place, group, "m000", "short");
    lines = told(s, &result);
    assert_non_null(strstr(lines, ",m299: message.created@3 \"short\"\n"));
}

/* One frame for present and former members, however many of either. */
static void
members_who_left_since_share_a_frame_with_the_others(void **state)
{
    enum { MANY = 120, LEAVE = 110 };
    struct stage *s = *state;
    struct place *place = s->place;
    int64_t group = support_create(place, TYPE_GROUP, support_crowd(place, MANY));
    struct batch_result result;
    const char *lines;

    told(s, &result);
    support_send(place, group, "m119", "a");
    for (int i = 0; i < LEAVE; i++) {
        char member[8];

        snprintf(member, sizeof(member), "m%03d", i);
        support_leave(place, group, member);
    }
    lines = told(s, &result);
    assert_non_null(strstr(lines, "m117,m118,m119: message.created@2 \"a\"\n"));
    assert_int_equal(strncmp(lines, "m000,m001,", 10), 0);
    assert_non_null(
        strstr(lines, "\nm109,m110,m111,m112,m113,m114,m115,m116,m117,m118,m119: member.left@112 m109\n"));
}

/* As if nchan had answered, and had dropped the copies. */
static void
pass_time(struct stage *s)
{
    fanout_delivered(&s->publisher.fanout, s->publisher.published);
    s->publisher.fanout.clear_us = 0;
    memset(&s->publisher.fanout.payers, 0, sizeof(s->publisher.fanout.payers));
}

/* Returns the event that is published when a deferred conversation is due. */
static const char *
told_later(struct stage *s)
{
    assert_int_equal(publisher_deferred(&s->publisher), ERR_OK);
    return described(s);
}

static void
events_beyond_an_allowance_are_deferred(void **state)
{
    enum { MANY = 300 };
    struct stage *s = *state;
    struct place *place = s->place;
    int64_t group = support_create(place, TYPE_GROUP, support_crowd(place, MANY));
    int64_t other = support_create(place, TYPE_GROUP, support_crowd(place, MANY));
    int64_t small = support_create(place, TYPE_GROUP, "m000 m001");
    struct batch_result result;
    const char *lines;

    told(s, &result);
    support_tell(place, "CREATE TRIGGER pays AFTER INSERT ON outbox BEGIN UPDATE outbox"
                        " SET payer = CASE conversation WHEN 1 THEN 7 ELSE 8 END WHERE id = new.id; END");
    fanout_charge(&s->publisher.fanout, 7, (size_t)1 << 30, clock_mono_ms());
    support_send(place, group, "m000", "a");
    support_leave(place, group, "m001");
    support_send(place, group, "m000", "b");
    support_send(place, small, "m000", "c");
    support_send(place, other, "m000", "d");
    lines = told(s, &result);
    assert_int_equal(result.unannounced, 0);
    assert_null(strstr(lines, "\"a\""));
    assert_non_null(strstr(lines, "m001: member.left@3 m001\n"));
    assert_non_null(strstr(lines, "m000,m001: message.created@2 \"c\"\n"));
    assert_non_null(strstr(lines, "m299: message.created@2 \"d\"\n"));
    assert_true(fanout_floor(&s->publisher.fanout) < s->taken);
    assert_string_equal(told_later(s), "");
    pass_time(s);
    lines = told_later(s);
    assert_non_null(strstr(lines, ",m299: conversation.updated@4\n"));
    assert_null(strstr(lines, "m001"));
    pass_time(s);
    assert_true(fanout_floor(&s->publisher.fanout) == INT64_MAX);
    support_send(place, group, "m000", "e");
    assert_non_null(strstr(told(s, &result), "m299: message.created@5 \"e\"\n"));
}

static void
events_that_are_too_old_are_dropped(void **state)
{
    struct stage *s = *state;
    struct place *place = s->place;
    int64_t group = support_create(place, TYPE_GROUP, "ann");
    struct batch_result result;

    for (int i = 0; i < 4; i++)
        support_send(place, group, "ann", "x");
    support_tell(place, "UPDATE outbox SET tick = tick - 70000 WHERE id <= 3");
    nchan_disconnect(s->nchan);
    /* No user would receive the others. */
    assert_int_equal(publisher_batch(&s->publisher, 0, &result), ERR_OK);
    assert_int_equal(result.dropped, 3);
    assert_int_equal(result.taken, 0);
    assert_int_equal(result.frames, 0);
    assert_int_equal(result.last_id, 3);
    assert_int_equal(publisher_batch(&s->publisher, 3, &result), ERR_OK);
    assert_int_equal(result.dropped, 0);
    assert_int_equal(result.last_id, 3);
    close(s->peer_fd);
    assert_int_equal(nchan_connect(s->nchan), ERR_OK);
    s->peer_fd = accept(s->listen_fd, NULL, NULL);
    assert_told(s, "ann: message.created@4 \"x\"; message.created@5 \"x\"\n");
    assert_int_equal(s->taken, 5);
}

/* --- no user misses a version */

#define USERS         6
#define CONVERSATIONS 4
#define OPERATIONS    250
#define LARGE         60000

static const char *const users[USERS] = {"u0", "u1", "u2", "u3", "u4", "u5"};

static bool
is_member(struct place *place, int64_t conversation, const char *username)
{
    return support_ask(place,
                       "SELECT count(*) FROM membership WHERE conversation = %" PRId64
                       " AND username = '%s' AND left_version IS NULL",
                       conversation, username) == 1;
}

/* Messages small and large, edits, joins and leaves: the more of them at once, the more batches. */
static void
happen(struct place *place, struct chance *chance, int operations)
{
    static char content[LARGE + 1];

    for (int i = 0; i < operations; i++) {
        int64_t conversation = 1 + support_draw(chance, CONVERSATIONS);
        const char *username = users[support_draw(chance, USERS)];
        int64_t n = support_draw(chance, support_draw(chance, 4) == 0 ? 9 : LARGE);

        if (!is_member(place, conversation, username)) {
            support_join(place, conversation, username);
        } else if (support_draw(chance, 6) == 0) {
            support_leave(place, conversation, username);
        } else {
            struct message m;

            memset(content, 'a' + i % 26, (size_t)n);
            content[n] = '\0';
            m = support_send(place, conversation, username, content);
            if (support_draw(chance, 4) == 0)
                edit(place, m.id, username, "edited");
        }
    }
}

/* The state of each user, and the expected one. */
struct held {
    int64_t versions[USERS][CONVERSATIONS + 1]; /* of each conversation; 0: none yet */
    int64_t (*stays)[4];                        /* conversation, user, first version, last */
    size_t stay_count;
};

/*
 * Handles a frame: it must hold the next version, or the first one of a stay. No version may come
 * twice.
 */
static void
receive(struct held *held, int user, const json_t *event)
{
    int64_t conversation = json_integer_value(json_object_get(event, "conversation"));
    int64_t version = json_integer_value(json_object_get(event, "version"));
    int64_t *at = &held->versions[user][conversation];
    bool concerned = false;
    bool comes = false;

    for (size_t i = 0; i < held->stay_count; i++) {
        const int64_t *stay = held->stays[i];

        if (stay[0] != conversation || stay[1] != user || version < stay[2] || version > stay[3])
            continue;
        concerned = true;
        comes = version == stay[2];
    }
    assert_true(concerned);
    if (version <= *at)
        fail_msg("%s, conversation %" PRId64 ": version %" PRId64 " comes again", users[user], conversation,
                 version);
    if (version != *at + 1 && !comes)
        fail_msg("%s, conversation %" PRId64 ": version %" PRId64 " after %" PRId64, users[user],
                 conversation, version, *at);
    *at = version;
}

static void
receive_all(struct stage *s, struct held *held)
{
    fetch(s);
    while (s->in.n > 0) {
        char channels[8192];
        json_t *frame;
        const json_t *events;

        take_post(&s->in, channels, &frame);
        events = json_object_get(frame, "events");
        for (int user = 0; user < USERS; user++)
            for (size_t i = 0; strstr(channels, users[user]) != NULL && i < json_array_size(events); i++)
                receive(held, user, json_array_get(events, i));
        json_decref(frame);
    }
}

/*
 * Runs batch after batch; returns how many ended before their last change, having given nchan
 * enough.
 */
static int
publish_all(struct stage *s, struct held *held)
{
    struct batch_result result = {.taken = 1};
    int64_t *rows;
    int cut = 0;

    held->stay_count = support_rows(s->place, 4, &rows,
                                    "SELECT conversation, substr(name, 2) + 0, joined_version,"
                                    " coalesce(left_version, 9223372036854775807) FROM membership"
                                    " JOIN account a ON a.id = account");
    held->stays = (int64_t(*)[4])rows;
    while (result.taken > 0) {
        int64_t before = s->taken;

        /* As if some seconds later: no allowance is used up. */
        s->publisher.fanout = (struct fanout){0};
        assert_int_equal(publisher_batch(&s->publisher, before, &result), ERR_OK);
        s->taken = result.last_id;
        /* Each batch advances. */
        assert_true(result.taken == 0 || s->taken > before);
        receive_all(s, held);
        cut += s->taken - before < result.taken;
    }
    return cut;
}

static void
no_user_misses_a_version(void **state)
{
    struct stage *s = *state;
    struct place *place = s->place;
    struct held held = {0};
    struct chance chance;

    support_chance(&chance);
    for (int i = 0; i < CONVERSATIONS; i++)
        support_create(place, TYPE_GROUP, "u0 u1 u2 u3 u4 u5");
    happen(place, &chance, OPERATIONS);
    assert_true(publish_all(s, &held) > 0);
    for (int i = 0; i < 2; i++) {
        happen(place, &chance, OPERATIONS / 4);
        s->publisher.batch_max = 1 + (int)support_draw(&chance, 80);
        publish_all(s, &held);
    }
    for (int user = 0; user < USERS; user++)
        for (int64_t c = 1; c <= CONVERSATIONS; c++)
            assert_int_equal(held.versions[user][c],
                             support_ask(place,
                                         "SELECT coalesce(m.left_version, c.version) FROM membership m"
                                         " JOIN conversation c ON c.id = m.conversation WHERE c.id = %" PRId64
                                         " AND username = '%s' ORDER BY joined_version DESC",
                                         c, users[user]));
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_stage, strike_stage)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(each_change_reaches_its_audience),
        ON_STAGE(a_frame_is_the_text_that_answers_have),
        ON_STAGE(a_read_marker_reaches_few_members_or_one_of_many),
        ON_STAGE(a_read_marker_among_many_stays_its_owners),
        ON_STAGE(former_members_get_no_events),
        ON_STAGE(a_ping_is_an_empty_frame_for_its_user),
        ON_STAGE(typing_reaches_the_other_members_of_small_conversations),
        ON_STAGE(changes_for_the_same_users_share_a_frame),
        ON_STAGE(members_who_left_since_share_a_frame_with_the_others),
        ON_STAGE(events_too_large_for_their_audience_are_thin),
        ON_STAGE(events_beyond_an_allowance_are_deferred),
        ON_STAGE(events_that_are_too_old_are_dropped),
        ON_STAGE(no_user_misses_a_version),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
