/*
 * words.js - all texts of the page, in each of its languages. Intl formats dates and numbers.
 */
import { lasting } from "./memory.js";

const one = (n, single, many) => (n === 1 ? single : many);

const languages = {
  en: {
    language: "Language",
    conversations: "Conversations",
    newConversation: "New conversation",
    noConversations: "No conversations yet. Start one.",
    choose: "Choose a conversation, or start one.",
    nobody: "Nobody else",
    you: "You",
    signOut: "Sign out",
    signOutTitle: "Sign out?",
    signOutText: (n) => `${one(n, "One message has", `${n} messages have`)} not been sent and will be lost.`,
    deleted: "Message deleted",
    withheld: "Edited after you left",
    unread: (n) => `${n} unread`,
    // The user.
    whoTitle: "Who are you?",
    whoText: "No password is needed here. Choose any name.",
    tokenTitle: "Sign in",
    tokenText: "This site requires a token. Paste yours.",
    refusedTitle: "Access denied",
    yourName: "Your name",
    yourToken: "Your token",
    enter: "Continue",
    again: "Try again",
    nameRule: "1 to 20 letters, digits or _",
    // The connection.
    connecting: "Connecting…",
    offline: "Offline. Your messages will be sent when you reconnect.",
    polling: "No live connection. New messages appear every few seconds.",
    // The open conversation.
    messagesOf: (name) => `Messages of ${name}`,
    beginning: "This is the beginning of the conversation.",
    loading: "Loading earlier messages…",
    loadingFirst: "Loading…",
    newMessages: "New messages",
    newest: "Newest messages",
    members: (n) => one(n, "1 member", `${n} members`),
    onlineCount: (n) => `${n} online`,
    online: "online",
    away: "offline",
    typing: (who) =>
      one(
        who.length,
        `${who[0]} is typing…`,
        who.length > 3 ? "Several people are typing…" : `${who.join(", ")} are typing…`,
      ),
    message: "Message",
    placeholder: "Write a message",
    send: "Send",
    back: "Back",
    details: "Details",
    today: "Today",
    yesterday: "Yesterday",
    edited: "edited",
    sending: "Sending",
    sent: "Sent",
    readBy: (who) => `Read by ${who.join(", ")}`,
    failed: "Not sent",
    retry: "Retry",
    discard: "Discard",
    reply: "Reply",
    edit: "Edit",
    delete: "Delete",
    react: "React",
    otherEmoji: "Another emoji",
    noEmoji: "A reaction is one emoji.",
    who: "Who reacted",
    reactions: "Reactions",
    someOf: (names, count) => names.join(", ") + (count > names.length ? ` and ${count - names.length} more` : ""),
    andMore: (n) => `And ${n} more`,
    clear: (emoji) => `Remove all ${emoji}`,
    clearTitle: (emoji) => `Remove everyone’s ${emoji}?`,
    clearText: "The people who reacted will not be notified.",
    clearButton: "Remove all",
    replyingTo: (who) => `Reply to ${who}`,
    editing: "Edit your message",
    cancel: "Cancel",
    save: "Save",
    earlier: "An earlier message",
    deleteTitle: "Delete this message?",
    deleteText: "Its content will be permanently deleted for everyone.",
    tooLong: (bytes) => `Too long by ${bytes} bytes`,
    // Dialogs.
    privateChat: "Private chat",
    groupChat: "Group",
    withWhom: "With whom",
    withWhomMany: "Members",
    namesHint: "Names, separated by spaces",
    groupTitle: "Title",
    create: "Create",
    badName: (name) => `“${name}” is not a valid name: 1 to 20 letters, digits or _`,
    oneOther: "A private chat has exactly one other person.",
    close: "Close",
    rename: "Rename",
    addMember: "Add a member",
    add: "Add",
    leave: "Leave the group",
    leaveTitle: "Leave this group?",
    leaveText: "The group will disappear from your list.",
    remove: (name) => `Remove ${name}`,
    youAre: (role) => ({ member: "You are a member.", admin: "You are an admin.", owner: "You own this group." })[role],
    role: (role) => ({ member: "member", admin: "admin", owner: "owner" })[role],
    roleOf: (name) => `Role of ${name}`,
    whoJoins: "Who may join",
    joinOpen: "Everyone",
    joinInvite: "Only people a member adds",
    newNames: "A name that is not in use yet becomes a new user.",
    removeTitle: (name) => `Remove ${name}?`,
    removeText: (name) => `${name} will no longer receive messages from this group.`,
    removeButton: "Remove",
    ownerTitle: (name) => `Make ${name} the owner?`,
    ownerText: (name) => `You become an admin. Only ${name} can make you the owner again.`,
    ownerButton: "Transfer ownership",
    untitled: (n) => `Group of ${n}`,
    noMember: (title) => `You are no longer a member of “${title}”.`,
    unreachable: "The server is not responding.",
  },
  zh: {
    language: "语言",
    conversations: "会话",
    newConversation: "新会话",
    noConversations: "还没有会话，来新建一个吧。",
    choose: "选择一个会话，或开始新的会话。",
    nobody: "没有其他人",
    you: "我",
    signOut: "退出",
    signOutTitle: "确定退出？",
    signOutText: (n) => `还有 ${n} 条消息没有发出，退出后会丢失。`,
    deleted: "消息已删除",
    withheld: "此消息在你离开后被编辑过",
    unread: (n) => `${n} 条未读`,
    whoTitle: "你是谁？",
    whoText: "这里不需要密码：任选一个名字。",
    tokenTitle: "登录",
    tokenText: "本站需要令牌。请粘贴你的令牌。",
    refusedTitle: "访问被拒绝",
    yourName: "你的名字",
    yourToken: "你的令牌",
    enter: "继续",
    again: "重试",
    nameRule: "1 到 20 个字母、数字或下划线",
    connecting: "正在连接…",
    offline: "已离线。你的消息会在恢复连接后发送。",
    polling: "没有实时连接，新消息每隔几秒刷新一次。",
    messagesOf: (name) => `${name}的消息`,
    beginning: "会话从这里开始。",
    loading: "正在加载更早的消息…",
    loadingFirst: "正在加载…",
    newMessages: "新消息",
    newest: "最新消息",
    members: (n) => `${n} 位成员`,
    onlineCount: (n) => `${n} 人在线`,
    online: "在线",
    away: "不在线",
    typing: (who) => (who.length > 3 ? "多人正在输入…" : `${who.join("、")}正在输入…`),
    message: "消息",
    placeholder: "写消息",
    send: "发送",
    back: "返回",
    details: "详情",
    today: "今天",
    yesterday: "昨天",
    edited: "已编辑",
    sending: "正在发送",
    sent: "已发送",
    readBy: (who) => `${who.join("、")}已读`,
    failed: "未发送",
    retry: "重试",
    discard: "丢弃",
    reply: "回复",
    edit: "编辑",
    delete: "删除",
    react: "回应",
    otherEmoji: "其他表情",
    noEmoji: "回应只能是一个表情符号。",
    who: "查看回应",
    reactions: "回应",
    someOf: (names, count) => (count > names.length ? `${names.join("、")}等 ${count} 人` : names.join("、")),
    andMore: (n) => `还有 ${n} 人`,
    clear: (emoji) => `全部移除 ${emoji}`,
    clearTitle: (emoji) => `移除所有人的 ${emoji}？`,
    clearText: "回应过的人不会收到通知。",
    clearButton: "全部移除",
    replyingTo: (who) => `回复 ${who}`,
    editing: "编辑你的消息",
    cancel: "取消",
    save: "保存",
    earlier: "更早的消息",
    deleteTitle: "删除这条消息？",
    deleteText: "内容将对所有人永久删除。",
    tooLong: (bytes) => `超出 ${bytes} 字节`,
    privateChat: "私聊",
    groupChat: "群组",
    withWhom: "对方",
    withWhomMany: "成员",
    namesHint: "名字之间用空格分开",
    groupTitle: "标题",
    create: "创建",
    badName: (name) => `“${name}”不是有效的名字：须为 1 到 20 个字母、数字或下划线`,
    oneOther: "私聊只能有一位对方。",
    close: "关闭",
    rename: "重命名",
    addMember: "添加成员",
    add: "添加",
    leave: "退出群组",
    leaveTitle: "退出此群组？",
    leaveText: "此群组将从你的列表中移除。",
    remove: (name) => `移除 ${name}`,
    youAre: (role) => ({ member: "你是成员。", admin: "你是管理员。", owner: "你是群主。" })[role],
    role: (role) => ({ member: "成员", admin: "管理员", owner: "群主" })[role],
    roleOf: (name) => `${name} 的角色`,
    whoJoins: "谁可以加入",
    joinOpen: "所有人",
    joinInvite: "仅限成员邀请",
    newNames: "未被使用的名字会自动创建为新用户。",
    removeTitle: (name) => `移除 ${name}？`,
    removeText: (name) => `${name} 将不再收到此群组的消息。`,
    removeButton: "移除",
    ownerTitle: (name) => `将群主转让给 ${name}？`,
    ownerText: (name) => `你将成为管理员，只有 ${name} 能把群主转回给你。`,
    ownerButton: "转让",
    untitled: (n) => `群组（${n} 人）`,
    noMember: (title) => `你已不是“${title}”的成员。`,
    unreachable: "服务器没有响应。",
  },
};

export const NAMES = { en: "English", zh: "中文" };

export const language = {
  get code() {
    const wished = [lasting.get("language"), ...navigator.languages].filter(Boolean);
    return wished.map((each) => each.split("-")[0]).find((each) => each in languages) ?? "en";
  },
  set code(code) {
    lasting.set("language", code);
  },
};

/** The page's language is chosen once, when the page starts. */
const code = language.code;
const locale = navigator.languages.find((each) => each.split("-")[0] === code) ?? code;
const words = languages[code];
document.documentElement.lang = code === "zh" ? "zh-CN" : "en";

export function t(key, ...values) {
  const word = words[key];
  return typeof word === "function" ? word(...values) : word;
}

/** Returns the text shown instead of a message's content; null if the content is shown. */
export const insteadOf = ({ deleted_at, withheld }) => (deleted_at ? t("deleted") : withheld ? t("withheld") : null);

/** Returns the name of a conversation that has neither a title nor a list of other members. */
export const namelessOf = ({ members, member_count }) => (members ? t("nobody") : t("untitled", member_count));

const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" });
const weekday = new Intl.DateTimeFormat(locale, { weekday: "short" });
const date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const dateWithYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
const longDate = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });

const midnight = (when) => new Date(when).setHours(0, 0, 0, 0);
export const today = () => midnight(Date.now());

/** Returns the number of midnights since then. */
function daysAgo(moment) {
  return Math.round((today() - midnight(moment)) / 86400000);
}

const thisYear = (moment) => new Date(moment).getFullYear() === new Date().getFullYear();

export const timeOf = (moment) => clock.format(moment);
export const fullTimeOf = (moment) => full.format(moment);

export function dayOf(moment) {
  const days = daysAgo(moment);
  if (days === 0) return t("today");
  if (days === 1) return t("yesterday");
  return (thisYear(moment) ? longDate : dateWithYear).format(moment);
}

/** Returns the shortest form, for the list of conversations. */
export function shortTimeOf(moment) {
  const days = daysAgo(moment);
  if (days === 0) return clock.format(moment);
  if (days === 1) return t("yesterday");
  if (days > 1 && days < 7) return weekday.format(moment);
  return (thisYear(moment) ? date : dateWithYear).format(moment);
}
