/* The live console: draws what the feed says, pulls levers. Only text from the feed reaches the page, never markup. */
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const SPAN_S = 120;

  const h = (tag, props = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), props);
    element.append(...children.filter((child) => child != null));
    return element;
  };
  const time = (at) => new Date(at * 1000).toLocaleTimeString([], { hour12: false });
  const none = (text) => h("p", { className: "quiet", textContent: text });
  const table = (heads, rows) =>
    h("table", { className: "dense" },
      h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { textContent: head })))),
      h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell))))));

  /* A part of the page is drawn anew only when what it shows has changed: a button keeps its focus. */
  const drawn = {};
  const draw = (id, shown, make) => {
    const key = JSON.stringify(shown);
    if (drawn[id] === key) return;
    drawn[id] = key;
    $(id).replaceChildren(...[make(shown)].flat());
  };

  let quiet = 0;
  const say = (text, bad) => {
    const line = $("said");
    line.textContent = text;
    line.className = bad ? "said bad" : "said";
    line.hidden = false;
    clearTimeout(quiet);
    quiet = setTimeout(() => { line.hidden = true; }, bad ? 15000 : 6000);
  };
  const pull = async (lever, wanted = {}) => {
    try {
      const answer = await fetch("/" + lever, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wanted) });
      const said = await answer.json();
      say(said.error ? [said.error, said.hint].filter(Boolean).join(" → ") : said.said, Boolean(said.error));
    } catch (error) {
      say("the console does not answer: is `blackstart ui` still running?", true);
    }
  };

  const resident = (row) =>
    h("li", { className: row.alive ? "" : "gone", title: [row.kind, row.cluster, row.name, row.role].filter(Boolean).join(" · ") },
      h("span", { className: "kind " + row.kind }),
      h("span", { className: "name", textContent: row.name }),
      h("span", { className: "more", textContent: row.kind === "function" ? `${row.count}${row.busy ? `, ${row.busy} busy` : ""}` : [row.count > 1 ? row.count : "", (row.role || "").toLowerCase()].filter(Boolean).join(" ") }));
  const zone = (one) =>
    h("article", { className: one.powered ? "zone" : "zone dark" },
      h("header", {}, h("b", { textContent: one.name }), h("span", { className: "quiet", textContent: one.powered ? one.id : `${one.id} · no power (${one.owners.join(", ")})` }),
        h("button", { className: "small", textContent: one.powered ? "Cut power" : "Restore", onclick: () => pull("power", { zone: one.id, on: !one.powered }) })),
      one.residents.length ? h("ul", {}, ...one.residents.map(resident)) : none("nothing runs here now"));
  const zones = (all) =>
    [...new Set(all.map((one) => one.region))].map((region) =>
      h("div", { className: "region" }, h("h3", { textContent: region }), h("div", { className: "zones" }, ...all.filter((one) => one.region === region).map(zone))));

  const charts = {};
  const pulse = (beats) => {
    const now = Math.floor(beats.now_s || 0);
    for (const [service, rows] of Object.entries(beats.services).sort()) {
      const bySecond = new Map(rows.map((row) => [row[0], row]));
      const seconds = Array.from({ length: SPAN_S }, (_, i) => now - SPAN_S + i);
      const pick = (column) => seconds.map((second) => (bySecond.get(second) || [0, 0, 0])[column]);
      const failed = pick(2), answered = pick(1).map((all, i) => all - failed[i]);
      const data = [seconds.map((second) => second - now), answered, failed];
      if (charts[service]) { charts[service].setData(data); continue; }
      const box = h("div", {}, h("h4", { className: "quiet", textContent: service }));
      $("pulse").append(box);
      const axis = { stroke: color("axis"), font: "11px system-ui", grid: { stroke: color("grid"), width: 1 }, ticks: { show: false } };
      const bars = uPlot.paths.bars({ size: [0.9, 12] });
      charts[service] = new uPlot({
        width: 320, height: 130, legend: { show: false }, cursor: { show: false },
        scales: { x: { time: false, range: [-SPAN_S, 0] }, y: { range: (u, low, high) => [0, Math.max(5, high)] } },
        axes: [{ ...axis, values: (u, ticks) => ticks.map((tick) => (tick ? `${tick} s` : "now")) }, { ...axis, size: 44, values: (u, ticks) => ticks.map((tick) => `${tick}/s`) }],
        series: [{}, { label: "answered", fill: color("good"), stroke: color("good"), width: 0, paths: bars, points: { show: false } }, { label: "failed", fill: color("failed"), stroke: color("failed"), width: 0, paths: bars, points: { show: false } }],
      }, data, box);
      new ResizeObserver(() => charts[service].setSize({ width: Math.max(240, box.clientWidth), height: 130 })).observe(box);
    }
    if (!Object.keys(beats.services).length) draw("pulse", "none", () => none("nobody has called the API or the tables yet: blackstart load, or start a drill"));
    else if (drawn.pulse) { delete drawn.pulse; $("pulse").querySelector(".quiet:not(h4)")?.remove(); }
  };

  const mark = (word, kind) => h("span", { className: "mark " + kind, textContent: word });
  const STATES = { OK: "pass", ALARM: "fail", completed: "pass", failed: "fail", stopped: "inconclusive", running: "inconclusive", pass: "pass", fail: "fail", inconclusive: "inconclusive" };
  const alarms = (rows) => rows.length
    ? table(["state", "since", "alarm"], rows.map((row) => [mark(row.state, STATES[row.state] || "not_supported"), time(row.since), row.name || `${row.region} does not answer`]))
    : none("the stack has no alarms");
  const experiments = ([rows, templates]) => [
    rows.length
      ? table(["", "experiment", "began", "actions", ""], rows.map((row) => [
          mark(row.status, STATES[row.status] || "not_supported"), row.id, time(row.began),
          row.actions.map((one) => `${one.name} ${one.status}${one.fired == null ? "" : `, fired ${one.fired}`}`).join("; "),
          row.ended ? "" : h("button", { className: "small", textContent: "Stop", onclick: () => pull("stop-experiment", { experiment: row.id }) })]))
      : none("none has run here yet"),
    ...templates.slice(0, 8).map((one) => h("p", { className: "quiet row" }, h("button", { className: "small", textContent: "Start", onclick: () => pull("start-experiment", { template: one.id }) }), `${one.description || one.id}`)),
  ];
  const faults = (rows) => rows.length
    ? table(["what", "fired", "rule", "owner"], rows.map((row) => [row.what, String(row.fired), row.id, row.owner]))
    : none("none");
  const short = (value) => (value.startsWith("arn:") ? value.split(/[:/]/).pop() : value);
  const words = (detail) => Object.entries(detail).filter(([, value]) => value !== "" && value != null && typeof value !== "object").map(([name, value]) => `${name} ${short(String(value))}`).join(", ");
  const copies = (rows) => rows.length
    ? table(["store", "copy", "from", "to", "under way", "oldest"], rows.map((row) => [row.store, row.name || "", row.source || "", row.destination || "", row.pending == null ? `${row.conflicts} conflicts` : String(row.pending), row.oldest_s == null ? "" : `${row.oldest_s.toFixed(1)} s`]))
    : none("every copy in another region is up to date");
  const events = (rows) => rows.length
    ? h("ul", { className: "feed" }, ...rows.map((row) => h("li", {}, h("time", { textContent: time(row.at) }), h("span", {}, h("b", { textContent: row.kind.replaceAll("_", " ") }), ` ${words(row.detail)}`))))
    : none("nothing yet");
  const runs = (rows) => rows.length
    ? table(["", "run", "what"], rows.map((row) => [row.verdict ? mark(row.verdict, row.verdict) : mark("unreadable", "not_supported"), row.report ? h("a", { href: `/runs/${encodeURIComponent(row.id)}/report.html`, target: "_blank", textContent: row.id }) : row.id, row.what]))
    : none("no run has been made here yet: blackstart run");

  const drill = (one) => {
    if (!one) return [];
    const end = { 0: ["pass", "pass"], 1: ["fail", "fail"], 4: ["not ready", "not_supported"], 5: ["inconclusive", "inconclusive"], 6: ["stopped", "inconclusive"], 130: ["interrupted", "inconclusive"] };
    const [word, kind] = one.exit_code == null ? ["running", "inconclusive"] : end[one.exit_code] || [`exit ${one.exit_code}`, "fail"];
    const output = h("pre", { className: "output", textContent: one.lines.join("\n") });
    requestAnimationFrame(() => { output.scrollTop = output.scrollHeight; });
    return [h("p", {}, mark(word, kind), ` ${one.name}`), output];
  };

  const show = (shown) => {
    if (shown.error) {
      $("link").textContent = shown.error;
      $("link").className = "mark fail";
      return;
    }
    $("link").textContent = "live";
    $("link").className = "mark pass";
    $("stack").textContent = `${shown.stack} at ${shown.endpoint}`;
    document.title = `${shown.stack} · Blackstart`;
    const dark = shown.zones.filter((one) => !one.powered).length, broken = shown.faults.length + dark;
    $("heal").textContent = broken ? `Heal everything (${broken})` : "Heal everything";
    draw("zones", shown.zones, zones);
    pulse(shown.pulse);
    draw("drill", shown.drills, (names) => names.map((name) => h("option", { value: name, textContent: name, selected: name === "zone-loss" })));
    draw("drill-said", shown.drill, drill);
    $("drill-stop").hidden = !shown.drill || shown.drill.exit_code != null;
    draw("experiments", [shown.experiments, shown.templates], experiments);
    draw("faults", shown.faults, faults);
    draw("alarms", shown.alarms, alarms);
    draw("copies", shown.copies, copies);
    draw("events", shown.events, events);
    draw("runs", shown.runs, runs);
  };

  $("heal").onclick = () => pull("heal");
  $("drill-stop").onclick = () => pull("stop-drill");
  $("drill-form").onsubmit = (event) => { event.preventDefault(); pull("start-drill", { drill: $("drill").value }); };
  const feed = new EventSource("/live");
  feed.onmessage = (message) => show(JSON.parse(message.data));
  feed.onerror = () => { $("link").textContent = "the console does not answer"; $("link").className = "mark fail"; };
})();
