/* Users who talk to each other, so that there is something to see. */

/**
 * Creates alice's conversations. Returns the ids of a group, of a message of another user in it,
 * and of one of hers.
 */
export async function furnish(stack) {
  const post = (path, body) => stack.request("POST", path, body);
  const group = async (title, ...members) => {
    const { id } = await post("/conversations", { type: "group_chat", members, username: members[0] });
    await stack.request("PATCH", `/conversations/${id}`, { username: members[0], title });
    return id;
  };
  const say = async (id, username, content, more = {}) =>
    (await post("/messages", { conversation_id: id, username, content, ...more })).id;
  const react = (message, emoji, name) =>
    stack.request("PUT", `/messages/${message}/reactions/${encodeURIComponent(emoji)}?username=${name}`);
  const read = (id, username, seq) => stack.request("PUT", `/conversations/${id}/read`, { username, seq });

  const dinner = await group("周末聚餐", "li_wei", "alice", "chen");
  await say(dinner, "li_wei", "周六晚上七点，老地方见？");
  await say(dinner, "chen", "好的，我带甜点 🍰");
  const hike = await group("Weekend hike", "alice", "bob", "carol", "dave");
  const { id: chat } = await post("/conversations", { type: "private_chat", members: ["alice", "bob"] });
  await say(chat, "bob", "Did you see the new trail map?");
  await say(chat, "alice", "Not yet, send me a link?");
  await say(chat, "bob", "Here: https://example.org/trails/map (page 3).");

  for (let n = 0; n < 60; n++)
    await say(
      hike,
      ["alice", "bob", "carol"][n % 3],
      `Where we were last time, stop ${n + 1}. ${"The path goes on along the river. ".repeat(n % 4)}`,
    );
  const question = await say(hike, "bob", "Who is in for Saturday? Forecast says sun until four.");
  await say(hike, "carol", "I am! I can drive, three seats free.");
  const lake = await say(hike, "alice", "Count me in. Shall we take the lake route? https://example.org/routes/lake");
  await say(hike, "dave", "Lake route sounds great 👍\nBut let us start before nine, parking gets full.", {
    reply_to: lake,
  });
  const gone = await say(hike, "bob", "oops");
  await stack.request("DELETE", `/messages/${gone}?username=bob`);
  const mine = await say(hike, "alice", "Eight thirty at the station, I bring bread.");
  await stack.request("PATCH", `/messages/${mine}`, {
    username: "alice",
    content: "Eight thirty at the station then, I bring bread and coffee.",
  });
  for (const name of ["alice", "carol"]) await react(question, "🎉", name);
  await react(lake, "❤️", "dave");
  await read(hike, "bob", 65);
  await read(hike, "alice", 63);
  return { group: hike, question, mine };
}
