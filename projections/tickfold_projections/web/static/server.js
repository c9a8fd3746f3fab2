// Asking the server. The token is sent in a header, so the stream of events is read by fetch: EventSource sends none.

const KEPT = "tickfold-token";

export const hasToken = () => sessionStorage.getItem(KEPT) !== null;
export const keepToken = (token) => sessionStorage.setItem(KEPT, token.trim());

async function ask(path, headers = {}) {
  const token = sessionStorage.getItem(KEPT);
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, { headers, cache: "no-store" });
  if (answer.ok) return answer;
  const { error } = await answer.json();
  throw Object.assign(new Error(error), { status: answer.status });
}

export const get = async (path) => (await ask(path)).json();

// Hands out each event behind a position, for ever; comes back after a lost connection and goes on from where it was.
export async function follow(position, hear, say) {
  for (;;) {
    try {
      const answer = await ask("/api/events", position ? { "Last-Event-ID": position } : {});
      say("live");
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const frames = (rest + value).split("\n\n");
        rest = frames.pop();
        for (const frame of frames) {
          const fields = new Map(frame.split("\n").map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]));
          if (fields.get("event") === "fault") say(JSON.parse(fields.get("data")).error);
          else if (fields.has("data")) hear(JSON.parse(fields.get("data")));
          position = fields.get("id") ?? position;
        }
      }
      say("the connection ended: coming back");
    } catch (error) {
      if (error.status === 409) return location.reload(); // the journal is another one
      say(error.status ? error.message : "the server does not answer: trying again");
    }
    await new Promise((wake) => setTimeout(wake, 1000));
  }
}
