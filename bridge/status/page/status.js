"use strict";

// Twice a second, asks for the status and writes it into the page. Only text
// is ever set: names come from the network.

const show = (id, text) => { document.getElementById(id).textContent = text; };
const known = (value, unit) => value === null ? "–" : value + unit;

function latency(d) {
  if (d.latency_ms.bridge === null) return "–";
  return d.latency_error_ms === null ? `${d.latency_ms.bridge} ms and the wire`
    : `${d.latency_ms.bridge} ± ${d.latency_error_ms} ms, by ${d.latency_by}`;
}

// reasons lists the counts that are not 0, each with what it is for.
const reasons = (counts, words) => Object.entries(counts).filter(([, n]) => n > 0).map(([reason, n]) => `${n} ${words[reason]}`).join(", ");

const callWords = {
  strangers: "by who may not call", crowded: "that held a connection for too long among others", unproven: "without the secret", refused: "refused",
};

function clock(d, audio) {
  const ppm = `${d.ratio_ppm < 0 ? "" : "+"}${d.ratio_ppm.toFixed(1)} ppm`;
  return audio.rate && d.rate && audio.rate !== d.rate ? `${ppm}, resampled from ${d.rate} to ${audio.rate} Hz` : ppm;
}

// Each row: its name, what it says of what is sent (null: nothing) and of what is received (as of
// what is sent, unless given), and whether it is shown (always, unless given).
const rows = [
  ["state", d => d.state],
  ["peer", d => d.peer || "–"],
  ["format", d => d.format ? `${d.format}/${d.rate}/${d.channels}, ${d.packet_frames} frames a packet` : "–"],
  ...countRows.map(([name, send, keys, locked]) => {
    const text = d => keys.map(key => d[key]).join(", ");
    return [name, send ? text : null, text, s => !locked || locked === s.session.locked];
  }),
  ["not sent, rejected", d => d.send_errors, d => d.rejected + (d.rejected ? ": " + reasons(d.rejected_by, rejectedWords) : ""),
    s => s.directions.send.send_errors > 0 || s.directions.receive.rejected > 0],
  ["buffer (target)", null, d => `${d.buffer_frames.toFixed(1)} (${d.buffer_target_frames.toFixed(1)}) frames`],
  ["clock", null, clock],
  ["jitter p50, p99, max", d => [d.jitter_us.p50, d.jitter_us.p99, d.jitter_us.max].map(us => us.toFixed(0)).join(", ") + " µs"],
  ["latency, bridge", latency],
  ["latency, stages", null, d => Object.entries(d.latency_stages_ms).filter(([, ms]) => ms !== null)
    .map(([name, ms]) => `${name} ${ms}`).join(", ") || "–"],
  ["latency, changed", null, d => d.latency_reason, s => s.directions.receive.latency_reason !== ""],
  ["latency, total", d => known(d.latency_ms.total, " ms")],
  ["peak dBFS", d => d.peak_dbfs.map(peak => peak === null ? "−∞" : peak.toFixed(1)).join("  ") || "–"],
];

function cell(row, kind, text) {
  const element = document.createElement(kind);
  if (kind === "th") element.scope = "row";
  element.textContent = text;
  row.append(element);
}

// end is one end of a bridge, as an element.
function end(s, named) {
  const element = document.getElementById("end").content.cloneNode(true);
  const show = (name, text) => { element.querySelector("." + name).textContent = text; };
  show("name", named ? s.name || "(no name)" : "");
  const a = s.audio;
  show("audio", a.state === "freewheel" ? `${a.server}: ${a.state}, as for an export: silence until it ends; ${a.rate} Hz, ${a.period_frames} frames`
    : a.state !== "running" ? `${a.server}: ${a.state}${a.reason && ": " + a.reason}`
    : `${a.server}: ${a.rate} Hz, ${a.period_frames} frames, ${a.realtime ? "real-time" : "NOT real-time"}, ${a.xruns} xruns`);
  const m = s.machine;
  show("machine", [m.cpu_awake ? "processors kept awake" : "processors may sleep" + (s.session.state === "waiting" ? " until a session is up" : ""), m.memory_locked ? "memory locked" : "memory NOT locked",
    m.cpus && `audio threads on processors ${m.cpus}`, m.realtime_by && `real-time by ${m.realtime_by}`].filter(Boolean).join(", "));
  const calls = reasons(s.session.rejected_calls, callWords);
  const locked = { leads: `, leads (answers in ${s.session.answer_periods} ${s.session.answer_periods === 1 ? "period" : "periods"})`, follows: ", follows" };
  show("session", `session: ${s.session.state}${locked[s.session.locked] || ""}, peer ${s.session.peer || "–"}, ${s.session.reconnects} reconnects, counts are since it began; ` +
    (calls && `calls rejected: ${calls}; `) + `version ${s.version}, up ${Math.floor(s.uptime_seconds)} s`);
  show("error", s.session.last_error && s.session.last_error !== a.reason ? "last error: " + s.session.last_error : "");
  element.querySelector(".problems").append(...s.problems.map(p => {
    const item = document.createElement("li");
    item.textContent = `${p.side}: ${p.text}`;
    return item;
  }));
  element.querySelector(".directions").append(...rows.filter(([, , , shown = () => true]) => shown(s)).map(([name, send, receive = send]) => {
    const row = document.createElement("tr");
    cell(row, "th", name);
    cell(row, "td", send ? send(s.directions.send) : "");
    cell(row, "td", receive(s.directions.receive, a));
    return row;
  }));
  return element;
}

function render(s) {
  document.title = `${s.end} – archibald-bridge`;
  show("title", `archibald-bridge ${s.end} ${s.name}` + (s.slots ? `: ${s.guests.length} of ${s.slots} guests` : ""));
  show("problem", s.slots ? s.session.last_error : "");
  document.getElementById("ends").replaceChildren(...(s.slots ? s.guests : [s]).map(one => end(one, s.slots > 0)));
}

async function refresh() {
  try {
    const answer = await fetch("api/v1/status", { signal: AbortSignal.timeout(2000) });
    if (!answer.ok) throw new Error(`the status server answers ${answer.status}`);
    render(await answer.json());
  } catch (error) {
    show("problem", `no answer from the bridge (${error.message})`);
  }
  setTimeout(refresh, 500);
}

refresh();
