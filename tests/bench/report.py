"""Prints the bench's result as a table."""
import statistics

TITLES = {
    "page": "GET a conversation's page of 50 messages",
    "recent": "GET a user's recent messages: about 5 new, a member of 100 conversations",
    "recent10": "GET a user's recent messages: about 5 new, a member of 10 conversations",
    "changes": "GET what has changed since a version: 50 messages, new and edited ones",
    "post": "POST, durable, 100 conversations of 10 members, pushed",
    "list": "GET a user's list: the first 50 conversations",
    "resync": "GET a user's list: 3 conversations changed since",
    "since": "GET a user's recent messages: the 6 in those 3 conversations, of 500 anywhere",
    "middle": "GET a user's messages: 100 from the middle of the history, one request at a time",
    "oldest": "GET a user's messages: the oldest 100, one request at a time",
    "late": "GET a user's messages: the oldest 100, of a user who joined late, one request at a time",
    "own": "GET a user's list: 50 conversations, of 20 messages or of 10,000 sent by the user, one request at a time",
}
USERS = {"few": "{few:,} conversations", "many": "{many:,} conversations", "late": "{many:,}, joined late",
         "quiet": "of 20 messages", "talker": "of 10,000 of one's own"}
TO_LIMIT = {"page": 0.45, "recent": 0.60, "recent10": 0.60, "changes": 0.45, "post": 0.40}
LARGE_TO_SMALL = 0.90
TOKENS_TO_NONE = 0.90
SOCKETS_TIMES = 3
MANY_TO_FEW = {"list": 2, "resync": 2, "since": 2}
CROWD_TIMES = 1.5
SILENT_TIMES = 1.2
MEMORY_MB = 24
MEMORY_TITLE = "Memory (PSS) of master, workers and relay together"
ROW = "  {:<34}{:>10}{:>10}{:>10}{:>8}   {}"


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def ratio(rows, base, key):
    """Returns the median of the rounds' ratios."""
    return statistics.median(row[key] / other[key] for row, other in zip(rows, base, strict=True))


def row(title, rows, rate, compared="", wanted=""):
    return ROW.format(title, rate, f"{median(rows, 'p50_ms'):.2f}", f"{median(rows, 'p99_ms'):.2f}", compared, wanted)


def case(name, measured, messages):
    echo, small, tokens, large = (measured["runs"][target] for target in ("echo", "small", "tokens", "large"))
    to_limit, to_small = ratio(small, echo, "per_s"), ratio(large, small, "per_s")
    to_untold = ratio(tokens, small, "per_s")
    lines = [
        f"{TITLES[name]} (answer {measured['answer_bytes']:,} bytes)",
        row("the limit", echo, f"{median(echo, 'per_s'):,.0f}"),
        row(f"{messages['small']:,} messages", small, f"{median(small, 'per_s'):,.0f}", f"{to_limit:.2f}",
            f"of the limit; to reach: {TO_LIMIT[name]:.2f}"),
        row("the same with tokens", tokens, f"{median(tokens, 'per_s'):,.0f}", f"{to_untold:.2f}",
            f"of the row above; to reach: {TOKENS_TO_NONE:.2f}"),
        row(f"{messages['large']:,} messages", large, f"{median(large, 'per_s'):,.0f}", f"{to_small:.2f}",
            f"of the row of {messages['small']:,}; to reach: {LARGE_TO_SMALL:.2f}"),
    ]
    if name == "post":
        lines += [backlog(f"{messages[target]:,} messages", measured["runs"][target], echo)
                  for target in ("small", "large")]
    return lines


def backlog(title, rows, echo):
    """Returns a line about the backlog: if it grows, posts look cheaper than they are."""
    pushed = statistics.median(row["pushed_per_s"] / other["per_s"] for row, other in zip(rows, echo))
    return (f"  {title}: not yet pushed at most {max(row['pending_max'] for row in rows):,} changes,"
            f" at the end {max(row['pending_at_end'] for row in rows):,}, none"
            f" {max(row['drain_s'] for row in rows):.2f} s later; posted and pushed until then"
            f" {median(rows, 'pushed_per_s'):,.0f} a second: {pushed:.2f} of the limit")


def user_case(name, measured, conversations):
    (few_name, few), (many_name, many) = ((name, measured["runs"][name]) for name in measured["users"])
    wanted = f"; to reach: at most {MANY_TO_FEW[name]}" if name in MANY_TO_FEW else ""
    return [
        f"{TITLES[name]} (answer {measured['answer_bytes']:,} bytes)",
        row(USERS[few_name].format(**conversations), few, f"{median(few, 'per_s'):,.0f}"),
        row(USERS[many_name].format(**conversations), many, f"{median(many, 'per_s'):,.0f}",
            f"{ratio(few, many, 'per_s'):.2f}", f"times the cost of the row above{wanted}"),
    ]


def silent(measured):
    to_all, to_listeners = measured["runs"]["all"], measured["runs"]["listeners"]
    times = ratio(to_listeners, to_all, "pushed_per_s")
    return [
        f"POST, durable, {measured['conversations']:,} conversations of 10 members without listeners; and pushed",
        row("published to all members", to_all, f"{median(to_all, 'pushed_per_s'):,.0f}"),
        row("to users who may listen", to_listeners, f"{median(to_listeners, 'pushed_per_s'):,.0f}", f"{times:.2f}",
            f"times the row above; to reach: {SILENT_TIMES:.2f}"),
    ]


def durable(runs, channels):
    ten, crowd = runs["ten"], runs["crowd"]
    return [
        "POST into a group, one at a time, without pushes: until the answer",
        row("10 members", ten, ""),
        row(f"{channels:,} members", crowd, "", f"{ratio(crowd, ten, 'p50_ms'):.2f}",
            f"times the row above (p50); to reach: at most {CROWD_TIMES}"),
    ]


def fan_out(measured):
    """All figures are medians of the rounds' medians, except `slowest`, which is of one post."""
    def of(group, part, key="p50_ms"):
        return statistics.median(row[part][key] for row in measured["runs"][group])

    crowd, channels = measured["runs"]["crowd"], measured["channels"]
    publishes = statistics.median(row["publishes_of_pair"] for row in crowd) - 1  # the other group takes one
    seconds, slowest = of("crowd", "everywhere") / 1e3, max(row["after_answer"]["max_ms"] for row in crowd)
    return [
        f"  the same with its fan-out: the frame is on all {channels:,} channels {of('crowd', 'after_answer'):.1f} ms"
        f" after the answer, {slowest:.1f} ms at most;",
        f"  {publishes:.0f} publishes to nchan, {publishes / seconds:,.0f} a second,"
        f" {channels / seconds:,.0f} channels a second from sending the post on. Beside its own fan-out",
        f"  the post is answered in {of('crowd', 'answered'):.2f} ms; one to 10 members in"
        f" {of('ten', 'answered'):.2f} ms and is on their channels {of('ten', 'after_answer'):.2f} ms later",
    ]


def sockets(measured):
    bare, post = measured["runs"]["bare"], measured["runs"]["post"]
    times = ratio(post, bare, "p99_ms")
    both = bare + post
    return [
        f"{measured['users']:,} open sockets, {measured['per_s']} a second into groups of 10: until the frame is there",
        row("bare publish to nchan", bare, ""),
        row("POST", post, "", f"{times:.2f}", f"times the row above (p99); to reach: at most {SOCKETS_TIMES}"),
        f"  of {sum(row['frames'] + row['lost'] for row in both):,} frames lost {sum(row['lost'] for row in both)},"
        f" repeated {sum(row['repeated'] for row in both)}; the client sent"
        f" at most {max(row['client_late_ms'] for row in both):.1f} ms late",
    ]


def memory(title, found, wanted=""):
    return (f"  {title:<34}{found['total']:>10.1f} MB: {found['anonymous']:.1f} anonymous, {found['file']:.1f} file,"
            f" {found['shared']:.1f} shared{wanted}")


def text(result):
    machine = result["machine"]
    lines = [f"{machine['cores']} cores {machine['cpu']}, Linux {machine['kernel']}, nginx {machine['nginx']}"
             f" with {machine['nginx_workers']} workers; medians of {result['rounds']} rounds of {result['seconds']} s;"
             f" load {machine['load_before']:.2f} before",
             "", ROW.format("", "requests/s", "p50 ms", "p99 ms", "ratio", "")]
    for name, measured in result.get("cases", {}).items():
        lines += [*case(name, measured, result["messages"]), ""]
    if "silent" in result:
        lines += [*silent(result["silent"]), ""]
    if "sockets" in result:
        lines += [*sockets(result["sockets"]), ""]
    if "memory_at_end" in result:
        lines += [MEMORY_TITLE, memory("right after the start", result["memory_at_start"]),
                  memory("after all these loads", result["memory_at_end"], f"; to reach: at most {MEMORY_MB}"), ""]
    for name, measured in result.get("user_cases", {}).items():
        lines += [*user_case(name, measured, result["conversations"]), ""]
    if "durable" in result:
        lines += [*durable(result["durable"], result["fan_out"]["channels"]), *fan_out(result["fan_out"]), ""]
    if "memory_wide" in result:
        lines += [MEMORY_TITLE, memory("after these, in another imd", result["memory_wide"]), ""]
    return "\n".join(lines)
