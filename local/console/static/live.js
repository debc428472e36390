// What the stack tells by server-sent events, and what the API tells about attempts.
import { useEffect, useReducer } from "preact/hooks";

const API = "/api/v1/ocpp";
const AGAIN = 2000; // milliseconds
const NOTHING = { connected: true, stack: null, server: null, chargePoints: [], messages: {}, attempts: new Map(), notice: "" };

/** The stack as it is now: `attempts` by id, as the API shows them. Renders again whenever something changes. */
export function useLive() {
  const [live, change] = useReducer((old, part) => ({ ...old, ...(part instanceof Function ? part(old) : part) }), NOTHING);
  useEffect(() => {
    let source;
    let timer;
    let asked;
    const learn = (attempts) => change((old) => ({ attempts: newer(old.attempts, attempts) }));
    const listen = () => {
      source = new EventSource("/console/events");
      const on = (name, heard) => source.addEventListener(name, (event) => heard(JSON.parse(event.data)));
      source.onopen = () => {
        asked = new Set();
        change({ connected: true, attempts: new Map() });
      };
      source.onerror = () => {
        change({ connected: false });
        // Most failures a browser repeats by itself; some, and not the same in each, it takes for final.
        if (source.readyState === EventSource.CLOSED) timer = setTimeout(listen, AGAIN);
      };
      on("stack", (stack) => change({ stack }));
      on("ocpp-server", (server) => change({ server: { ...server, at: Date.now() } }));
      on("messages", (messages) => change({ messages }));
      on("notice", (notice) => change({ notice }));
      on("attempt", async (id) => learn([await read(`${API}/charger-connect/${id}`)]));
      on("charge-points", (chargePoints) => {
        change({ chargePoints });
        for (const { chargerId } of chargePoints.filter((one) => !asked.has(one.chargerId))) {
          asked.add(chargerId);
          read(`${API}/chargers/${encodeURIComponent(chargerId)}/attempts`).then((page) => learn(page?.attempts ?? []));
        }
      });
    };
    listen();
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, []);
  return live;
}

/** Gives an order to the stack: its address under /console/, and the order. Whether it was taken. */
export async function order(name, document) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`/console/${name}`, { method: "POST", headers, body: JSON.stringify(document) });
  return answer.ok;
}

async function read(path) {
  try {
    const answer = await fetch(path);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the stack is gone: the event stream says so
  }
}

// Answers may overtake each other.
function newer(known, attempts) {
  const all = new Map(known);
  for (const attempt of attempts) {
    if (attempt && !(all.get(attempt.id)?.updatedAt > attempt.updatedAt)) all.set(attempt.id, attempt);
  }
  return all;
}
