"use strict";
// The form sends requests to the local stack only. A deployed API requires credentials, which this page does not have.
(() => {
  const local = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);
  const form = document.getElementById("try-form");
  if (!local || !form) return;
  const namespace = form.dataset.namespace;
  const path = form.dataset.path;
  const requestView = document.getElementById("try-request");
  const responseView = document.getElementById("try-response");
  const fields = ["id", "chargerId", "tokenId", "serverIpAddress", "serverRestApiPort"];
  document.getElementById("try-closed").hidden = true;
  document.getElementById("try-open").hidden = false;

  const escape = (text) => text.replace(/[&<>]/g, (found) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[found]);

  function readFields() {
    return fields.map((name) => [name, form.elements[name].value]).filter(([, value]) => value !== "");
  }

  function encodeBody(media) {
    if (media.includes("form")) return new URLSearchParams(readFields()).toString();
    if (media.includes("xml")) {
      const elements = readFields().sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `<${name}>${escape(value)}</${name}>`);
      return `<OcppChargerConnectRequest xmlns="${namespace}">${elements.join("")}</OcppChargerConnectRequest>`;
    }
    const typed = readFields().map(([name, value]) => [name, name === "serverRestApiPort" && /^\d+$/.test(value) ? Number(value) : value]);
    return JSON.stringify(Object.fromEntries(typed), null, 2);
  }

  function buildRequest() {
    const connector = form.elements.connectorId.value;
    const media = form.elements.contentType.value;
    const headers = { "Content-Type": media };
    if (form.elements.accept.value) headers.Accept = form.elements.accept.value;
    return { target: path + (connector ? `?connectorId=${encodeURIComponent(connector)}` : ""), headers, body: encodeBody(media) };
  }

  function showRequest() {
    const { target, headers, body } = buildRequest();
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    requestView.textContent = [`POST ${target}`, ...lines, "", body].join("\n");
  }

  async function send(event) {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    const { target, headers, body } = buildRequest();
    button.disabled = true;
    responseView.textContent = "Waiting for the charger …";
    try {
      // Without an Accept header, the browser sends "*/*".
      const response = await fetch(target, { method: "POST", headers: { Accept: headers["Content-Type"], ...headers }, body });
      const names = ["content-type", "connect-outcome", "idempotent-replayed", "retry-after"];
      const lines = names.filter((name) => response.headers.has(name)).map((name) => `${name}: ${response.headers.get(name)}`);
      responseView.textContent = [`${response.status} ${response.statusText}`, ...lines, "", await response.text()].join("\n");
    } catch (error) {
      responseView.textContent = `No response was received: ${error.message}. The request may have reached the service. Send it again with the same id.`;
    } finally {
      button.disabled = false;
    }
  }

  function setNewId() {
    form.elements.id.value = crypto.randomUUID();
    showRequest();
  }

  form.addEventListener("input", showRequest);
  form.addEventListener("submit", send);
  document.getElementById("try-new").addEventListener("click", setNewId);
  setNewId();
})();
