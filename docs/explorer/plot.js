/* One panel: axes, curves or dots, a cursor. Colours come from the style sheet. */
"use strict";

function niceStep(span, most) {
  const power = 10 ** Math.floor(Math.log10(span / most));
  return [1, 2, 5, 10].map(m => m * power).find(s => span / s <= most);
}

function shortNumber(v) {
  const text = Math.abs(v) >= 1e5 || (v !== 0 && Math.abs(v) < 1e-4) ? v.toExponential(1) : String(+v.toPrecision(6));
  return text.replace("-", "−").replace("e−", "e−");
}

class Panel {
  constructor(canvas) {
    this.canvas = canvas;
    this.bottom = 18;
  }

  /* Clear, and take the range of both axes; y is clipped to it. */
  begin(low, high, bottom, top) {
    const ratio = window.devicePixelRatio || 1, {clientWidth, clientHeight} = this.canvas;
    this.width = clientWidth;
    this.height = clientHeight;
    this.left = clientWidth < 300 ? 32 : 46; // for the numbers
    if (this.canvas.width !== Math.round(clientWidth * ratio)) this.canvas.width = Math.round(clientWidth * ratio);
    if (this.canvas.height !== Math.round(clientHeight * ratio)) this.canvas.height = Math.round(clientHeight * ratio);
    Object.assign(this, {low, high, lowest: bottom, highest: top});
    const style = getComputedStyle(this.canvas), pen = this.pen = this.canvas.getContext("2d");
    this.color = name => style.getPropertyValue(name).trim();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.font = `${clientWidth < 300 ? 10 : 11}px ${style.fontFamily}`;
    pen.lineJoin = "round";
    this.axes();
  }

  x(v) { return this.left + (v - this.low) / (this.high - this.low) * (this.width - this.left - 6); }
  y(v) { return 6 + (this.highest - v) / (this.highest - this.lowest) * (this.height - this.bottom - 6); }
  at(pixel) { return this.low + (pixel - this.left) / (this.width - this.left - 6) * (this.high - this.low); }

  line(ax, ay, bx, by, color, width = 1, dash = []) {
    const pen = this.pen;
    pen.strokeStyle = color;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(ax, ay);
    pen.lineTo(bx, by);
    pen.stroke();
    pen.setLineDash([]);
  }

  axes() {
    const pen = this.pen, grid = this.color("--grid"), bottom = this.height - this.bottom;
    pen.fillStyle = this.color("--muted");
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    const dy = niceStep(this.highest - this.lowest, Math.max(2, this.height / 36));
    for (let i = Math.ceil(this.lowest / dy); i * dy <= this.highest; i++) {
      this.line(this.left, this.y(i * dy), this.width, this.y(i * dy), grid, i === 0 ? 1.5 : 0.5);
      pen.fillText(shortNumber(i * dy), this.left - 4, this.y(i * dy));
    }
    pen.textBaseline = "alphabetic";
    pen.textAlign = "center";
    const dx = niceStep(this.high - this.low, Math.max(4, this.width / 80));
    for (let i = Math.ceil(this.low / dx); i * dx <= this.high; i++) {
      this.line(this.x(i * dx), 0, this.x(i * dx), bottom, grid, i === 0 ? 1.5 : 0.5);
      const edge = this.x(i * dx) > this.width - 20;
      pen.textAlign = edge ? "right" : "center";
      pen.fillText(shortNumber(i * dx), edge ? this.width : this.x(i * dx), this.height - 4);
    }
  }

  clipped(draw) {
    const pen = this.pen;
    pen.save();
    pen.beginPath();
    pen.rect(this.left, 0, this.width - this.left, this.height - this.bottom);
    pen.clip();
    draw(pen);
    pen.restore();
  }

  /* y over x, lifted where `breaks` says that the curve jumps, or where it has no value. */
  curve(x, y, breaks, color) {
    const far = 4 * this.height;
    this.clipped(pen => {
      pen.strokeStyle = color;
      pen.lineWidth = 2;
      pen.beginPath();
      let down = false;
      for (let i = 0; i < x.length; i++) {
        if (!Number.isFinite(y[i]) || breaks.has(i)) down = false;
        if (!Number.isFinite(y[i])) continue;
        const py = Math.min(far, Math.max(-far, this.y(y[i])));
        if (down) pen.lineTo(this.x(x[i]), py);
        else pen.moveTo(this.x(x[i]), py);
        down = true;
      }
      pen.stroke();
    });
  }

  dots(x, y, color) {
    this.clipped(pen => {
      pen.fillStyle = color;
      pen.globalAlpha = 0.45;
      for (let i = 0; i < x.length; i++)
        if (Number.isFinite(y[i])) pen.fillRect(this.x(x[i]) - 0.75, this.y(y[i]) - 0.75, 1.5, 1.5);
    });
  }

  level(v, color, dash) { this.line(this.left, this.y(v), this.width, this.y(v), color, 1, dash); }

  cursor(v, focused) {
    if (v < this.low || v > this.high) return;
    const color = this.color(focused ? "--accent" : "--muted");
    this.line(this.x(v), 0, this.x(v), this.height - this.bottom, color, 1);
  }

  point(x, y, color) {
    if (x < this.low || x > this.high || !Number.isFinite(y)) return;
    this.clipped(pen => {
      pen.fillStyle = color;
      pen.beginPath();
      pen.arc(this.x(x), this.y(y), 3.5, 0, 2 * Math.PI);
      pen.fill();
    });
  }
}
