import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "./html.js";
import { ACCEPTS, FORMATS, build, curl, meaning, rawRequest, rawResponse, send } from "./messages.js";
import { useNow } from "./now.js";

const UNKNOWN = "CP-404";

/** The form that connects a token to a charger, with the request as it leaves and the response as it came. */
export function Connect({ all, stack, charger, choose }) {
  const [form, setForm] = useState({
    tokenId: "04A2B3C4D5E6F7",
    format: "application/json",
    accept: "*/*",
    connectorId: "",
    serverIpAddress: stack.serverIpAddress,
    serverRestApiPort: String(stack.serverRestApiPort),
  });
  const [id, setId] = useState(() => crypto.randomUUID());
  // The last exchange stays until something of the form changes: the next request is then another one.
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
  const exchangeOf = async (request) => {
    const mine = { request, began: Date.now() };
    latest.current = mine;
    setExchange(mine);
    const response = await send(request).catch((error) => ({ failure: String(error) }));
    if (latest.current === mine) setExchange((now) => now && { ...mine, response });
  };
  const submit = (event) => {
    event.preventDefault();
    exchangeOf(request());
    setId(crypto.randomUUID());
  };
  const shown = exchange?.request ?? request();
  const waiting = Boolean(exchange && !exchange.response);

  return html`
    <section class="connect" id="connect" aria-labelledby="connect-title">
      <h2 id="connect-title">Connect a token</h2>
      <form onSubmit=${submit}>
        <div class="fields">
          <${Charger} all=${all} charger=${charger} choose=${choose} />
          <label class="field">Token<input name="tokenId" value=${form.tokenId} onInput=${set("tokenId")} placeholder="none: only ask how it is" autocomplete="off" spellcheck="false" /></label>
        </div>
        <div class="fields">
          <fieldset class="segments wide">
            <legend>Format</legend>
            ${Object.entries(FORMATS).map(
              ([type, label]) => html`<label><input type="radio" name="format" value=${type} checked=${type === form.format} onChange=${set("format")} /><span>${label}</span></label>`,
            )}
          </fieldset>
          <label class="field">Accept
            <select name="accept" value=${form.accept} onChange=${set("accept")}>
              ${ACCEPTS.map((type) => html`<option value=${type}>${type === "*/*" ? "as sent" : type}</option>`)}
            </select>
          </label>
        </div>
        <details>
          <summary>OCPP server and connector</summary>
          <div class="fields">
            <label class="field">serverIpAddress<input name="serverIpAddress" value=${form.serverIpAddress} onInput=${set("serverIpAddress")} autocomplete="off" spellcheck="false" /></label>
            <label class="field">serverRestApiPort<input name="serverRestApiPort" value=${form.serverRestApiPort} onInput=${set("serverRestApiPort")} inputmode="numeric" autocomplete="off" /></label>
            <label class="field">connectorId<input name="connectorId" value=${form.connectorId} onInput=${set("connectorId")} inputmode="numeric" placeholder="any" autocomplete="off" /></label>
          </div>
        </details>
        <div class="buttons">
          <button type="submit" class="primary">Connect</button>
          <button type="button" aria-disabled=${!exchange} onClick=${() => exchange && exchangeOf(exchange.request)}>Send it again, same id</button>
        </div>
      </form>
      <${Outcome} exchange=${exchange} waiting=${waiting} charger=${charger} />
      <div class="exchange">
        <${Raw} title="Request" text=${rawRequest(shown)}>
          <${Copy} text=${curl(shown)} />
        <//>
        <${Raw} title="Response" text=${exchange?.response && !exchange.response.failure ? rawResponse(exchange.response) : ""} empty=${waiting ? "…" : "Nothing was sent yet."}>
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
    <label class="field">Charger
      <select name="chargerId" value=${charger} onChange=${(event) => choose(event.target.value)}>
        ${choices.map((one) => html`<option value=${one}>${one === UNKNOWN ? `${UNKNOWN} (nobody knows it)` : one}</option>`)}
      </select>
    </label>
  `;
}

function Outcome({ exchange, waiting, charger }) {
  return html`
    <div class="outcome" role="status">
      ${waiting && html`<p><span class="badge pending">waiting</span> ${charger} is being asked<${Elapsed} since=${exchange.began} /></p>`}
      ${exchange?.response && html`<${Said} response=${exchange.response} />`}
    </div>
  `;
}

function Elapsed({ since }) {
  const now = useNow(true, 100);
  return html`<span class="soft" aria-hidden="true"> ${Math.max(0, (now - since) / 1000).toFixed(1)} s</span>`;
}

function Said({ response }) {
  if (response.failure) return html`<p><span class="badge failed">no answer</span> ${response.failure}</p>`;
  const { kind, word, sentence } = meaning(response);
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
