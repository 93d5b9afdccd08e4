/* The page: what is chosen, the controls that change it, and the panels that show it.

   Everything that is shown follows from `state`; the address keeps it: #gelu+elu:alpha=0.5/-8,8/exact/1 */
"use strict";

const $ = id => document.getElementById(id);
const HOME = {low: -8, high: 8}, MOST = 6;
const SIGNS = {0: "f", 1: "f′", 5: "f″"};
const state = {chosen: [], low: HOME.low, high: HOME.high, exact: false, pass: 0, cursor: -1};
let core, panels, largest = new Map(), scheduled = false, typing = null;

/* ---- what is chosen ---- */

const find = name => core.table.find(row => row.name === name);
const color = i => getComputedStyle(document.body).getPropertyValue(`--c${i}`).trim();
const evaluate = (item, pass, type, x) =>
  core.apply(item.row, pass, type, x, item.values, state.exact && type === "f32");

function add(name, given = {}) {
  const row = find(name);
  if (!row) return `There is no function ${JSON.stringify(name)}.`;
  if (state.chosen.length === MOST) return `${MOST} functions at most: remove one first.`;
  const used = new Set(state.chosen.map(item => item.color));
  const free = [...Array(MOST).keys()].find(i => !used.has(i));
  state.chosen.push({row, values: row.parameters.map(p => given[p.name] ?? p.value), color: free, known: {}});
  return "";
}

/* What `compute` gives, kept until what it depends on changes: moving the cursor computes nothing anew. */
function remembered(item, what, count, pass, compute) {
  const key = [...item.values, state.low, state.high, state.exact, pass, count].join();
  if (item.known[what]?.key !== key) item.known[what] = {key, value: compute()};
  return item.known[what].value;
}

function readAddress() {
  const [names, range, tier, pass] = decodeURIComponent(location.hash.slice(1)).split("/"), complaints = [];
  state.chosen = [];
  for (const part of (names || "").split("+").filter(Boolean)) {
    const [name, settings] = part.split(":");
    const pairs = (settings || "").split(",").map(s => s.split("=")).map(([k, v]) => [k, Number(v)]);
    complaints.push(add(name, Object.fromEntries(pairs.filter(([, v]) => Number.isFinite(v)))));
  }
  $("complaint").textContent = complaints.join(" ").trim();
  if (!state.chosen.length) for (const name of ["gelu", "silu", "relu"]) add(name);
  const [low, high] = (range || "").split(",").map(Number);
  Object.assign(state, low < high ? {low, high} : HOME);
  state.exact = tier === "exact";
  state.pass = SIGNS[pass] ? Number(pass) : 0;
}

function writeAddress() {
  const names = state.chosen.map(({row, values}) => {
    const other = row.parameters.flatMap((p, i) => values[i] === p.value ? [] : [`${p.name}=${values[i]}`]);
    return row.name + (other.length ? ":" + other.join(",") : "");
  });
  const view = `${+state.low.toPrecision(7)},${+state.high.toPrecision(7)}`;
  const address = `#${names.join("+")}/${view}/${state.exact ? "exact" : "default"}/${state.pass}`;
  if (address !== location.hash) history.replaceState(null, "", address);
}

/* ---- controls ---- */

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function parameterControls(item, i) {
  const p = item.row.parameters[i], span = Math.max(1, 3 * Math.abs(p.value));
  const label = `${p.name} of ${item.row.name}`;
  const slider = element("input", {type: "range", min: p.value - span, max: p.value + span, step: span / 100, value: item.values[i], ariaLabel: label});
  const number = element("input", {type: "number", step: "any", value: item.values[i], ariaLabel: label});
  const set = (value, other) => {
    if (!Number.isFinite(value)) return;
    item.values[i] = +value.toPrecision(6);
    other.value = item.values[i];
    changed();
  };
  slider.addEventListener("input", () => set(slider.valueAsNumber, number));
  number.addEventListener("input", () => set(number.valueAsNumber, slider));
  return element("div", {className: "parameter"}, element("span", {textContent: p.name}), slider, number);
}

/* What else the table says. */
function about(row) {
  const said = {"f′": row.derivative, "f″": row.secondDerivative, "f, f′, f″ at −∞, +∞": row.limits, "range": row.range,
    "kinks": row.kinks, "there": row.kink, "f′ = 0 at": row.zeros, "special": row.special, "from": row.reference};
  const lines = Object.entries(said).filter(([, text]) => text)
    .flatMap(([what, text]) => [element("dt", {textContent: what}), element("dd", {textContent: text})]);
  return element("details", {}, element("summary", {textContent: "The table's row"}), element("dl", {}, ...lines));
}

function showFunctions() {
  $("functions").replaceChildren(...state.chosen.map(item => {
    const remove = element("button", {type: "button", textContent: "×", ariaLabel: `Remove ${item.row.name}`});
    remove.addEventListener("click", () => {
      state.chosen = state.chosen.filter(other => other !== item);
      showFunctions();
      changed();
      $("name").focus();
    });
    const page = element("a", {href: `../functions/${item.row.name}.html`, textContent: item.row.name});
    const legend = element("legend", {}, element("span", {className: "swatch"}), page);
    legend.firstChild.style.background = `var(--c${item.color})`;
    const formula = element("code", {textContent: item.row.formula});
    return element("fieldset", {}, legend, remove, formula, ...item.values.map((_, i) => parameterControls(item, i)), about(item.row));
  }));
}

function showView() {
  for (const [id, value] of [["low", state.low], ["high", state.high], ["cursor", state.cursor]])
    if (typing !== $(id)) $(id).value = +value.toPrecision(7);
  $("tier").value = state.exact ? "exact" : "default";
  $("pass").value = state.pass;
  $("of").textContent = SIGNS[state.pass];
  const bound = state.exact && state.pass !== 5 ? 0.5 : state.pass === 5 ? 4 : 2;
  $("promise").textContent = bound > 0.5 ? `The promise is ±${bound}.` : "That is the promise of this tier.";
}

function changed() {
  largest = new Map();
  for (const item of state.chosen) item.known = {};
  moved();
}

function moved() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    showView();
    draw();
    writeAddress();
  });
}

function zoom(factor, about = (state.low + state.high) / 2) {
  const low = about + (state.low - about) * factor, high = about + (state.high - about) * factor;
  if (high - low > 1e-5 && high - low < 1e30) Object.assign(state, {low, high});
  moved();
}

function shift(by) {
  state.low += by;
  state.high += by;
  moved();
}

/* ---- panels ---- */

/* Where a curve jumps: neighbours whose difference does not shrink as they come together. */
function jumps(item, pass, x, y) {
  const finite = y.filter(Number.isFinite), found = new Set();
  const size = Math.max(...finite) - Math.min(...finite);
  const value = v => evaluate(item, pass, "f64", Float64Array.of(v))[0];
  for (let i = 1; i < x.length; i++) {
    if (!(Math.abs(y[i] - y[i - 1]) > size / 50)) continue;
    let a = x[i - 1], b = x[i], ya = y[i - 1], yb = y[i];
    for (let k = 0; k < 40; k++) {
      const m = (a + b) / 2, ym = value(m);
      if (Math.abs(ym - ya) > Math.abs(yb - ym)) [b, yb] = [m, ym];
      else [a, ya] = [m, ym];
    }
    if (Math.abs(yb - ya) > size / 200) found.add(i);
  }
  return found;
}

function linspace(low, high, count) {
  return Float64Array.from({length: count}, (_, i) => low + (high - low) * i / (count - 1));
}

function drawCurves(panel, pass) {
  const x = linspace(state.low, state.high, Math.max(300, 2 * panel.canvas.clientWidth));
  const lines = state.chosen.map(item => remembered(item, `curve ${pass}`, x.length, pass, () => {
    const y = evaluate(item, pass, "f64", x);
    return {item, y, breaks: jumps(item, pass, x, y)};
  }));
  const tall = Math.max(10, state.high, -state.low);
  let bottom = Infinity, top = -Infinity;
  for (const {y} of lines) for (const v of y) {
    if (Number.isNaN(v)) continue;
    const shown = Math.min(tall, Math.max(-tall, v));
    bottom = Math.min(bottom, shown);
    top = Math.max(top, shown);
  }
  if (!(top - bottom > 1e-12 * Math.max(1, Math.abs(top)))) [bottom, top] = Number.isFinite(top) ? [top - 1, top + 1] : [-1, 1];
  const pad = 0.06 * (top - bottom);
  panel.begin(state.low, state.high, bottom - pad, top + pad);
  panel.cursor(state.cursor, document.activeElement === panel.canvas);
  for (const {item, y, breaks} of lines) panel.curve(x, y, breaks, color(item.color));
  for (const item of state.chosen)
    panel.point(state.cursor, evaluate(item, pass, "f64", Float64Array.of(state.cursor))[0], color(item.color));
}

function drawErrors(panel) {
  const count = Math.min(12000, 12 * Math.max(100, panel.canvas.clientWidth));
  const single = Float32Array.from(linspace(state.low, state.high, count)), double = Float64Array.from(single);
  const lines = state.chosen.map(item => remembered(item, "errors", count, state.pass, () => {
    const y = evaluate(item, state.pass, "f32", single), exact = evaluate(item, state.pass, "f64", double);
    const errors = Float64Array.from(y, (v, i) => errorInUlp(v, exact[i]));
    const worst = largest.get(item) || {error: 0, at: NaN, inputs: 0};
    errors.forEach((e, i) => { if (Math.abs(e) > Math.abs(worst.error)) Object.assign(worst, {error: e, at: single[i]}); });
    worst.inputs += count;
    largest.set(item, worst);
    return {item, errors};
  }));
  const seen = Math.max(...lines.map(({errors}) => errors.reduce((m, e) => Math.max(m, Math.abs(e) || 0), 0)), 0);
  const tall = Math.min(8, Math.max(state.exact ? 0.75 : 1.25, 1.1 * seen));
  panel.begin(state.low, state.high, -tall, tall);
  for (const v of [-0.5, 0.5]) panel.level(v, panel.color("--muted"), [5, 4]);
  panel.cursor(state.cursor, document.activeElement === panel.canvas);
  for (const {item, errors} of lines) panel.dots(single, errors, color(item.color));
}

const digits = (v, single) => Number.isNaN(v) ? "NaN" : Object.is(v, -0) ? "-0" :
  single ? String(shortestFloat(v)) : String(v);

/* The shortest decimal that is this float32. */
function shortestFloat(v) {
  for (let n = 1; n < 10; n++) if (Math.fround(+v.toPrecision(n)) === v) return +v.toPrecision(n);
  return v;
}

function showNumbers() {
  const x = Math.fround(state.cursor), rows = [];
  for (const item of state.chosen) for (const [pass, sign] of Object.entries(SIGNS)) {
    const single = evaluate(item, Number(pass), "f32", Float32Array.of(x))[0];
    const double = evaluate(item, Number(pass), "f64", Float64Array.of(x))[0];
    const error = errorInUlp(single, double);
    const head = element("th", {scope: "row"}, element("span", {className: "swatch"}), `${item.row.name} ${sign}`);
    head.firstChild.style.background = `var(--c${item.color})`;
    const cells = [digits(single, true), digits(double), Number.isNaN(error) ? "" : error.toFixed(3)];
    const row = element("tr", {}, head, ...cells.map(textContent => element("td", {textContent})));
    row.className = pass === "0" ? "first" : "";
    rows.push(row);
  }
  $("values").replaceChildren(...rows);
  $("largest").replaceChildren(...state.chosen.map(item => {
    const {error, at, inputs} = largest.get(item);
    const where = error ? ` at x = ${digits(at, true)}` : "";
    return element("li", {textContent: `${item.row.name} ${SIGNS[state.pass]}: ${Math.abs(error).toFixed(3)} ULP${where}, of ${inputs.toLocaleString("en")} inputs`});
  }));
}

function draw() {
  for (const [kind, panel] of Object.entries(panels)) {
    if (kind === "error") drawErrors(panel);
    else drawCurves(panel, Number(kind));
  }
  showNumbers();
  document.documentElement.dataset.drawn = state.chosen.map(item => item.row.name).join(" ");
}

/* ---- hands ---- */

function listen() {
  $("add").addEventListener("submit", event => {
    event.preventDefault();
    $("complaint").textContent = add($("name").value.trim());
    if ($("complaint").textContent) return;
    $("name").value = "";
    showFunctions();
    changed();
  });
  for (const id of ["low", "high", "cursor"]) {
    $(id).addEventListener("input", () => {
      const value = $(id).valueAsNumber;
      typing = $(id);
      if (Number.isFinite(value) && (id === "cursor" || (id === "low" ? value < state.high : value > state.low))) {
        state[id] = value;
        moved();
      }
    });
    $(id).addEventListener("blur", () => { typing = null; showView(); });
  }
  $("in").addEventListener("click", () => zoom(1 / 1.5));
  $("out").addEventListener("click", () => zoom(1.5));
  $("reset").addEventListener("click", () => { Object.assign(state, HOME); moved(); });
  $("tier").addEventListener("change", () => { state.exact = $("tier").value === "exact"; changed(); });
  $("pass").addEventListener("change", () => { state.pass = Number($("pass").value); changed(); });
  for (const panel of Object.values(panels)) listenTo(panel);
  window.addEventListener("hashchange", () => { readAddress(); showFunctions(); changed(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", moved);
}

function listenTo(panel) {
  const canvas = panel.canvas;
  let grip = null;
  canvas.addEventListener("keydown", event => {
    const width = state.high - state.low, sign = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (sign && event.shiftKey) shift(sign * width / 10);
    else if (sign) state.cursor = Math.min(state.high, Math.max(state.low, state.cursor + sign * width / 200));
    else if (event.key === "+" || event.key === "=") zoom(1 / 1.5, state.cursor);
    else if (event.key === "-") zoom(1.5, state.cursor);
    else if (event.key === "0") Object.assign(state, HOME);
    else return;
    event.preventDefault();
    moved();
  });
  canvas.addEventListener("pointerdown", event => {
    grip = panel.at(event.offsetX);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", event => {
    if (grip === null) state.cursor = panel.at(event.offsetX);
    else { const by = grip - panel.at(event.offsetX); state.low += by; state.high += by; panel.low += by; panel.high += by; }
    moved();
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, event => {
    grip = null;
    state.cursor = panel.at(event.offsetX);
    moved();
  });
  canvas.addEventListener("wheel", event => {
    if (document.activeElement !== canvas && !event.ctrlKey) return; // the page's own, until the plot is asked for
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, panel.at(event.offsetX));
  }, {passive: false});
  for (const event of ["focus", "blur"]) canvas.addEventListener(event, moved);
  new ResizeObserver(moved).observe(canvas);
}

function chooseTheme() {
  const themes = ["auto", "light", "dark"];
  let now = "auto";
  try { now = localStorage.getItem("theme") || "auto"; } catch { /* a file may have no storage */ }
  const show = () => {
    document.body.dataset.theme = now;
    $("theme").textContent = `Theme: ${now}`;
  };
  $("theme").addEventListener("click", () => {
    now = themes[(themes.indexOf(now) + 1) % themes.length];
    try { localStorage.setItem("theme", now); } catch { /* likewise */ }
    show();
    moved();
  });
  show();
}

async function main() {
  if (typeof ACTC_CORE === "undefined")
    throw new Error("The core is missing: it is built by docs/explorer/build.sh, which needs clang and wasm-ld.");
  core = await openCore(await unpackCore(ACTC_CORE));
  panels = Object.fromEntries([...document.querySelectorAll("canvas")].map(c => [c.dataset.plot, new Panel(c)]));
  $("names").append(...core.table.map(row => element("option", {value: row.name})));
  $("core").textContent = `actc ${core.version}, ${core.table.length} functions, unit "${core.isa}", compiled to WebAssembly.`;
  chooseTheme();
  readAddress();
  $("status").hidden = true;
  document.querySelector("main").hidden = false;
  listen();
  showFunctions();
  changed();
}

main().catch(error => {
  $("status").hidden = false;
  $("status").textContent = String(error.message || error);
  document.documentElement.dataset.failed = "yes";
});
