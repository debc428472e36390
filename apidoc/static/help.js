"use strict";
// The form that really sends. A deployed API wants signed requests, which a page cannot make: there it stays hidden.
(() => {
  const local = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);
  const form = document.getElementById("try-form");
  if (!local || !form) return;
  const namespace = form.dataset.namespace;
  const path = form.dataset.path;
  const shown = document.getElementById("try-request");
  const heard = document.getElementById("try-answer");
  const members = ["id", "chargerId", "tokenId", "serverIpAddress", "serverRestApiPort"];
  document.getElementById("try-closed").hidden = true;
  document.getElementById("try-open").hidden = false;

  const escape = (text) => text.replace(/[&<>]/g, (found) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[found]);

  function values() {
    return members.map((name) => [name, form.elements[name].value]).filter(([, value]) => value !== "");
  }

  function written(media) {
    if (media.includes("form")) return new URLSearchParams(values()).toString();
    if (media.includes("xml")) {
      const elements = values().sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `<${name}>${escape(value)}</${name}>`);
      return `<OcppChargerConnectRequest xmlns="${namespace}">${elements.join("")}</OcppChargerConnectRequest>`;
    }
    const typed = values().map(([name, value]) => [name, name === "serverRestApiPort" && /^\d+$/.test(value) ? Number(value) : value]);
    return JSON.stringify(Object.fromEntries(typed), null, 2);
  }

  function asked() {
    const connector = form.elements.connectorId.value;
    const media = form.elements.contentType.value;
    const headers = { "Content-Type": media };
    if (form.elements.accept.value) headers.Accept = form.elements.accept.value;
    return { target: path + (connector ? `?connectorId=${encodeURIComponent(connector)}` : ""), headers, body: written(media) };
  }

  function show() {
    const { target, headers, body } = asked();
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    shown.textContent = [`POST ${target}`, ...lines, "", body].join("\n");
  }

  async function send(event) {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    const { target, headers, body } = asked();
    button.disabled = true;
    heard.textContent = "Waiting for the charger …";
    try {
      // Without Accept a browser would send its own "*/*".
      const answer = await fetch(target, { method: "POST", headers: { Accept: headers["Content-Type"], ...headers }, body });
      const told = ["content-type", "connect-outcome", "idempotent-replayed", "retry-after"];
      const lines = told.filter((name) => answer.headers.has(name)).map((name) => `${name}: ${answer.headers.get(name)}`);
      heard.textContent = [`${answer.status} ${answer.statusText}`, ...lines, "", await answer.text()].join("\n");
    } catch (error) {
      heard.textContent = `The request could not be sent: ${error.message}`;
    } finally {
      button.disabled = false;
    }
  }

  function renew() {
    form.elements.id.value = crypto.randomUUID();
    show();
  }

  form.addEventListener("input", show);
  form.addEventListener("submit", send);
  document.getElementById("try-new").addEventListener("click", renew);
  renew();
})();
