import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "./html.js";
import { ACCEPTS, FORMATS, build, curl, describeResponse, rawRequest, rawResponse, send } from "./messages.js";
import { useNow } from "./now.js";

const UNKNOWN = "CP-404";

/** The form that connects a token to a charger, with the request as sent and the response as received. */
export function Connect({ all, stack, charger, choose }) {
  const [form, setForm] = useState({
    tokenId: "04A2B3C4D5E6F7",
    format: "application/json",
    accept: "",
    connectorId: "",
    serverIpAddress: stack.serverIpAddress,
    serverRestApiPort: String(stack.serverRestApiPort),
  });
  const [id, setId] = useState(() => crypto.randomUUID());
  // The last exchange is shown until a field of the form changes, which makes another request.
  const [exchange, setExchange] = useState(null);
  const set = (name) => (event) => {
    setForm({ ...form, [name]: event.target.value });
    setExchange(null);
  };
  useEffect(() => setExchange(null), [charger]);

  const request = () => {
    const { tokenId, serverIpAddress, serverRestApiPort } = form;
    const fields = { id, chargerId: charger, tokenId, serverIpAddress, serverRestApiPort };
    return build(fields, form.format, form.accept, form.connectorId);
  };
  const latest = useRef(null);
  const runExchange = async (request) => {
    const own = { request, began: Date.now() };
    latest.current = own;
    setExchange(own);
    const response = await send(request).catch(() => ({ failure: true }));
    if (latest.current === own) setExchange((now) => now && { ...own, response });
  };
  const submit = (event) => {
    event.preventDefault();
    runExchange(request());
    setId(crypto.randomUUID());
  };
  const shown = exchange?.request ?? request();
  const waiting = Boolean(exchange && !exchange.response);
  const failed = Boolean(exchange?.response?.failure);

  return html`
    <section class="connect" id="connect" aria-labelledby="connect-title">
      <h2 id="connect-title">Connect a token</h2>
      <form onSubmit=${submit}>
        <div class="fields">
          <${Charger} all=${all} charger=${charger} choose=${choose} />
          <${Text} name="tokenId" label="Token" form=${form} set=${set} placeholder="none: read the charger's status" />
        </div>
        <div class="fields">
          <fieldset class="segments wide">
            <legend>Format</legend>
            ${Object.entries(FORMATS).map(
              ([type, label]) => html`<label><input type="radio" name="format" value=${type} checked=${type === form.format} onChange=${set("format")} /><span>${label}</span></label>`,
            )}
          </fieldset>
          <div class="field">
            <label for="accept">Accept</label>
            <select id="accept" value=${form.accept} onChange=${set("accept")}>
              <option value="">the same</option>
              ${ACCEPTS.map((type) => html`<option value=${type}>${type}</option>`)}
            </select>
          </div>
        </div>
        <details>
          <summary>OCPP server and connector</summary>
          <div class="fields">
            <${Text} name="serverIpAddress" form=${form} set=${set} />
            <${Text} name="serverRestApiPort" form=${form} set=${set} inputmode="numeric" />
            <${Text} name="connectorId" form=${form} set=${set} inputmode="numeric" placeholder="any" />
          </div>
        </details>
        <div class="buttons">
          <button type="submit" class="primary">Connect</button>
          <button type="button" aria-disabled=${!exchange} onClick=${() => exchange && runExchange(exchange.request)}>Send it again, same id</button>
        </div>
      </form>
      <${Outcome} exchange=${exchange} waiting=${waiting} charger=${charger} />
      <div class="exchange">
        <${Raw} title="Request" text=${rawRequest(shown)}>
          <${Copy} text=${curl(shown)} />
        <//>
        <${Raw} title="Response" text=${exchange?.response && !failed ? rawResponse(exchange.response) : ""} empty=${waiting ? "…" : failed ? "No response." : "Nothing was sent yet."}>
          ${exchange?.response?.took !== undefined && html`<span class="soft">${exchange.response.took} ms</span>`}
        <//>
      </div>
    </section>
  `;
}

function Charger({ all, charger, choose }) {
  const known = all.map((one) => one.chargerId);
  const choices = known.includes(charger) || charger === UNKNOWN ? [...known, UNKNOWN] : [charger, ...known, UNKNOWN];
  return html`
    <div class="field">
      <label for="chargerId">Charger</label>
      <select id="chargerId" value=${charger} onChange=${(event) => choose(event.target.value)}>
        ${choices.map((one) => html`<option value=${one}>${one === UNKNOWN ? `${UNKNOWN} (unknown)` : one}</option>`)}
      </select>
    </div>
  `;
}

function Text({ name, label = name, form, set, ...more }) {
  return html`
    <div class="field">
      <label for=${name}>${label}</label>
      <input id=${name} value=${form[name]} onInput=${set(name)} autocomplete="off" spellcheck="false" ...${more} />
    </div>
  `;
}

function Outcome({ exchange, waiting, charger }) {
  return html`
    <div class="outcome" role="status">
      ${waiting && html`<p><span class="badge pending">waiting</span> for ${charger}<${Elapsed} since=${exchange.began} /></p>`}
      ${exchange?.response && html`<${Meaning} response=${exchange.response} />`}
    </div>
  `;
}

function Elapsed({ since }) {
  const now = useNow(true, 100);
  return html`<span class="soft" aria-hidden="true"> ${Math.max(0, (now - since) / 1000).toFixed(1)} s</span>`;
}

function Meaning({ response }) {
  if (response.failure) return html`<p><span class="badge unknown">no response</span> The request may still have arrived. Send it again with the same id.</p>`;
  const { kind, word, sentence } = describeResponse(response);
  return html`<p><span class="badge ${kind}">${response.status} ${word}</span> ${sentence}</p>`;
}

function Raw({ title, text, empty, children }) {
  const name = `raw-${title.toLowerCase()}`;
  return html`
    <div class="raw">
      <div class="raw-head"><h3 id=${name}>${title}</h3>${children}</div>
      <pre tabindex="0" role="region" aria-labelledby=${name}>${text || html`<span class="soft">${empty}</span>`}</pre>
    </div>
  `;
}

function Copy({ text }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(setDone, 2000, false);
  };
  return html`<button type="button" class="small" onClick=${copy}>${done ? "Copied" : "Copy as curl"}</button>`;
}
