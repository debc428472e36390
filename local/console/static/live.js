// The live state: the stack's server-sent events, and the attempts as the API returns them.
import { useEffect, useReducer } from "preact/hooks";

const API = "/api/v1/ocpp";
const RECONNECT_DELAY = 2000; // milliseconds
const CHANGES_SHOWN = 40;
const EMPTY = { connected: true, stack: null, server: null, chargePoints: [], messages: {}, attempts: new Map(), changes: [], notice: "" };

/** Return the current state, with `attempts` by id as the API returns them. The component renders again at each change. */
export function useLive() {
  const [live, change] = useReducer((old, part) => ({ ...old, ...(part instanceof Function ? part(old) : part) }), EMPTY);
  useEffect(() => {
    let source;
    let timer;
    let requested;
    const addAttempts = (attempts) => change((old) => ({ attempts: withNewest(old.attempts, attempts) }));
    const connect = () => {
      source = new EventSource("/console/events");
      const on = (name, handle) => source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
      source.onopen = () => {
        requested = new Set();
        change({ connected: true, attempts: new Map() });
      };
      source.onerror = () => {
        change({ connected: false });
        // A browser reconnects by itself after most failures. After others, which differ between browsers, it closes the source.
        if (source.readyState === EventSource.CLOSED) timer = setTimeout(connect, RECONNECT_DELAY);
      };
      on("stack", (stack) => change({ stack }));
      on("ocpp-server", (server) => change({ server: { ...server, at: Date.now() } }));
      on("messages", (messages) => change({ messages }));
      on("change", (event) => change((old) => ({ changes: [event, ...old.changes].slice(0, CHANGES_SHOWN) })));
      on("notice", (notice) => change({ notice }));
      on("attempt", async (id) => addAttempts([await read(`${API}/charger-connect/${id}`)]));
      on("charge-points", (chargePoints) => {
        change({ chargePoints });
        for (const { chargerId } of chargePoints.filter((one) => !requested.has(one.chargerId))) {
          requested.add(chargerId);
          read(`${API}/chargers/${encodeURIComponent(chargerId)}/attempts`).then((page) => addAttempts(page?.attempts ?? []));
        }
      });
    };
    connect();
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, []);
  return live;
}

/** Send a command to the path `name` under /console/. Return whether the stack accepted it. */
export async function sendCommand(name, command) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`/console/${name}`, { method: "POST", headers, body: JSON.stringify(command) });
  return response.ok;
}

async function read(path) {
  try {
    const response = await fetch(path);
    return response.ok ? await response.json() : null;
  } catch {
    return null; // the stack does not respond, which the event stream reports
  }
}

// Responses may arrive out of order: keep the newest version of each attempt.
function withNewest(known, attempts) {
  const all = new Map(known);
  for (const attempt of attempts) {
    if (attempt && !(all.get(attempt.id)?.updatedAt > attempt.updatedAt)) all.set(attempt.id, attempt);
  }
  return all;
}
