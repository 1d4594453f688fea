/* Draws the charts of one report from the JSON beside each. Colours come from the page's own variables, so that
   light and dark follow the system; series differ by dash as well as by colour. */
(() => {
  "use strict";
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const font = "12px system-ui, sans-serif";

  /* The fault window, the first effect and the recovery, behind and above the lines of every chart. */
  const marks = (data) => ({
    hooks: {
      drawClear: (u) => {
        if (data.fault_s == null) return;
        const end = data.healed_s == null ? u.scales.x.max : data.healed_s;
        const left = u.valToPos(data.fault_s, "x", true), right = u.valToPos(end, "x", true);
        u.ctx.fillStyle = color("fault");
        u.ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
      },
      draw: (u) => {
        line(u, data.fault_s, "fail", []);
        line(u, data.recovered_s, "pass", [6, 4]);
      },
    },
  });
  const line = (u, at, name, dash) => {
    if (at == null) return;
    const x = Math.round(u.valToPos(at, "x", true)), scale = devicePixelRatio || 1;
    u.ctx.save();
    u.ctx.strokeStyle = color(name);
    u.ctx.lineWidth = 2 * scale;
    u.ctx.setLineDash(dash.map((part) => part * scale));
    u.ctx.beginPath();
    u.ctx.moveTo(x, u.bbox.top);
    u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
    u.ctx.stroke();
    u.ctx.restore();
  };

  const stepped = (u, ...rest) => uPlot.paths.stepped({ align: 1 })(u, ...rest);
  const rate = (u, value) => (value == null ? "—" : value.toFixed(value < 10 ? 1 : 0) + "/s");
  const millis = (u, value) => (value == null ? "—" : value >= 1000 ? (value / 1000).toFixed(2) + " s" : value.toFixed(value < 10 ? 1 : 0) + " ms");
  const milliTick = (tick) => (tick >= 1000 ? tick / 1000 + " s" : tick + " ms");
  const powers = (u, ticks) => ticks.map((tick) => (Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-6 ? tick : null));
  const serie = (label, name, value, more = {}) => ({ label, stroke: color(name), width: 2, value, points: { show: false }, ...more });

  const axes = (unit) => {
    const common = { stroke: color("axis"), font, grid: { stroke: color("grid"), width: 1 }, ticks: { stroke: color("grid"), width: 1, size: 5 } };
    return [
      { ...common, values: (u, ticks) => ticks.map((tick) => tick + " s") },
      unit === "ms"
        ? { ...common, size: 66, filter: powers, grid: { ...common.grid, filter: powers }, ticks: { ...common.ticks, filter: powers }, values: (u, ticks) => ticks.map((tick) => (tick == null ? "" : milliTick(tick))) }
        : { ...common, size: 66, values: (u, ticks) => ticks.map((tick) => tick + "/s") },
    ];
  };

  const chart = (box, title, data, series, columns, options) => {
    const heading = document.createElement("h4");
    heading.textContent = title;
    box.append(heading);
    return new uPlot({
      width: box.clientWidth,
      height: options.height,
      cursor: { sync: { key: options.sync }, points: { size: 6 } },
      legend: { live: true },
      scales: { x: { time: false }, y: options.y },
      axes: axes(options.unit),
      series: [{ label: "at", value: (u, value) => (value == null ? "—" : value.toFixed(1) + " s") }, ...series],
      plugins: [marks(data)],
    }, columns, box);
  };

  const fromZero = { range: (u, low, high) => [0, Math.max(1, high * 1.12)] };
  const logarithmic = { distr: 3, log: 10, range: (u, low, high) => [Math.pow(10, Math.floor(Math.log10(Math.max(low || 1, 0.1)))), Math.pow(10, Math.ceil(Math.log10(Math.max(high || 10, 1)) + 1e-9))] };

  const draw = (box, number) => {
    const data = JSON.parse(box.querySelector("script").textContent);
    const sync = "charts-" + number;
    const plots = [];
    const requests = [serie("good", "good", rate, { fill: color("good-fill"), paths: stepped })];
    const columns = [data.at, data.good];
    if (data.scheduled) {
      requests.push(serie("due", "axis", rate, { width: 1, dash: [3, 3], paths: stepped }));
      columns.push(data.scheduled);
    } else {
      requests.push(serie("failed", "failed", rate, { dash: [6, 3], paths: stepped }));
      columns.push(data.failed);
    }
    plots.push(chart(box, "Requests per second", data, requests, columns, { sync, height: 190, unit: "rate", y: fromZero }));
    plots.push(chart(box, "Latency of answered requests, from the scheduled instant", data, [
      serie("p50", "p50", millis), serie("p95", "p95", millis, { dash: [7, 3] }), serie("p99", "p99", millis, { dash: [2, 3] }),
    ], [data.at, data.p50, data.p95, data.p99], { sync, height: 190, unit: "ms", y: logarithmic }));
    if (data.unknown) {
      plots.push(chart(box, "Not good, per second", data, [
        serie("unknown outcome", "unknown", rate, { paths: stepped, fill: color("fault") }),
        serie("failed", "failed", rate, { dash: [7, 3], paths: stepped }),
        serie("late or wrong", "late", rate, { dash: [2, 3], paths: stepped }),
      ], [data.at, data.unknown, data.failed, data.late], { sync, height: 150, unit: "rate", y: fromZero }));
    }
    return plots;
  };

  const boxes = [...document.querySelectorAll("[data-charts]")];
  const drawn = new Map();
  const redraw = (box) => {
    for (const plot of drawn.get(box) || []) plot.destroy();
    for (const heading of box.querySelectorAll("h4")) heading.remove();
    drawn.delete(box);
    if (box.clientWidth) drawn.set(box, draw(box, boxes.indexOf(box)));
  };
  boxes.forEach(redraw);
  for (const details of document.querySelectorAll("details")) {
    details.addEventListener("toggle", () => details.open && details.querySelectorAll("[data-charts]").forEach((box) => drawn.has(box) || redraw(box)));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => boxes.forEach(redraw));
  let waiting;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => boxes.forEach(redraw), 120); });
})();
