// The page: what every stream is at, one stream replayed by a slider, the events as they come. All text from journals
// goes in as text: nothing here makes markup of it.

import { follow, get, hasToken, keepToken } from "/static/server.js";

const NEWEST = 200; // events that stay in the list; all of them are in the journal
const $ = (id) => document.getElementById(id);
let chosen = null;
let streams = [];

function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

const when = (at) => new Date(at).toISOString().replace("T", " ").slice(0, 19);
const percent = (value) => `${value > 0 ? "+" : ""}${value.toFixed(2)} %`;
const tone = (value) => (value > 0 ? "won" : "lost");

function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86400)} days ago`;
}

const price = (value) => String(Number(value.toPrecision(10)));

function signalText(signal) {
  return `${signal.position} at ${price(signal.entry)}, target ${price(signal.take_profit)}, stop ${price(signal.stop_loss)}`;
}

function told(event) {
  if (event.action === "closed") return `${event.signal.position} at ${price(event.price)}: ${event.reason}`;
  if (event.signal) return signalText(event.signal);
  if (event.reasons) return event.reasons.join("; ");
  return event.reason ?? `version ${event.version}`;
}

function streamRow(stream, now) {
  const row = element("tr");
  const name = element("th");
  name.scope = "row";
  const button = element("button", `${stream.exchange} / ${stream.strategy} / ${stream.symbol}`);
  button.addEventListener("click", () => choose(stream));
  name.append(button);
  const result = stream.unrealised;
  const state = stream.signal ? `${stream.state}: ${signalText(stream.signal)}` : stream.state ?? "unknown";
  const alarms = stream.alarms.map((alarm) => alarm.text).join(" · ");
  row.append(
    name,
    element("td", state),
    result === null ? element("td", "–") : element("td", percent(result), tone(result)),
    element("td", stream.recorded_at === null ? "–" : age(now - stream.recorded_at)),
    element("td", String(stream.seq)),
    element("td", alarms || "none", alarms ? "lost" : ""),
  );
  return row;
}

async function look() {
  const answer = await get("/api/streams");
  const focused = [...$("streams").querySelectorAll("button")].indexOf(document.activeElement);
  streams = answer.streams;
  $("streams").replaceChildren(...streams.map((stream) => streamRow(stream, answer.now)));
  if (focused >= 0) $("streams").querySelectorAll("button")[focused]?.focus();
  const current = streams.find((stream) => stream.id === chosen);
  if (current) $("place").max = current.seq;
  return answer.position;
}

function choose(stream) {
  chosen = stream.id;
  $("which").textContent = `${stream.exchange} / ${stream.strategy} / ${stream.symbol}`;
  $("report").hidden = hasToken(); // a link sends no token
  $("report").href = `/api/streams/${stream.id}/report`;
  Object.assign($("place"), { disabled: false, max: stream.seq, value: stream.seq });
  replay();
}

async function replay() {
  const [id, seq] = [chosen, $("place").value];
  const found = await get(`/api/streams/${id}/state?seq=${seq}`);
  if (id !== chosen || seq !== $("place").value) return; // moved on meanwhile
  const signal = found.event?.signal;
  const since = found.at === null ? "before its first event" : `${when(found.at)} UTC, event ${found.seq}`;
  $("state").textContent = `${since}: ${found.state}${signal ? `, ${signalText(signal)}` : ""}`;
}

function show(event) {
  const line = element("li");
  const time = element("time", when(event.at));
  const action = element("b", event.action);
  line.append(time, action, `${event.exchange} / ${event.strategy} / ${event.symbol}  ${told(event)}`);
  if (event.pnl) line.append(" ", element("span", percent(event.pnl.percentage), tone(event.pnl.percentage)));
  $("events").prepend(line);
  while ($("events").childElementCount > NEWEST) $("events").lastElementChild.remove();
}

// What came last in the streams there are, so that the list does not begin empty.
async function showLast() {
  const pages = streams.slice(0, 20).map(({ id, seq }) => get(`/api/streams/${id}/events?after=${Math.max(0, seq - 10)}`));
  const events = (await Promise.all(pages)).flatMap((page) => page.events);
  $("events").replaceChildren();
  events.sort((a, b) => a.at - b.at || a.seq - b.seq).forEach(show);
}

async function run() {
  try {
    const position = await look();
    await showLast();
    $("door").hidden = true;
    setInterval(() => look().catch(() => {}), 5000); // what is wrong with the connection, the stream of events says
    follow(position, show, (text) => ($("link").textContent = text));
  } catch (error) {
    $("link").textContent = error.message;
    if (error.status === 401) $("door").hidden = false;
    else setTimeout(run, 2000);
  }
}

$("place").addEventListener("input", replay);
$("door").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken($("token").value);
  $("token").value = "";
  run();
});
if (hasToken()) $("link").textContent = "connecting with the token of this tab";
run();
