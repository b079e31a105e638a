/* Draws the charts from the tables below them. */
(() => {
  "use strict";

  const root = document.documentElement;
  const language = root.lang || undefined;
  const number = new Intl.NumberFormat(language);
  const letters = new Intl.Segmenter(language);
  const FONT_SIZE = 12;
  const NAME_LENGTH = 28;
  const PADDING = 10;
  const PAIR_WIDTH = 40;
  /* A wider chart would shrink the page. */
  const PAPER = [680, 220];
  const drawn = [];

  /* An empty cell is no 0. */
  const count = (cell) => {
    const digits = cell.textContent.replace(/\D/g, "");
    return digits ? Number(digits) : null;
  };

  const read = (plot) => {
    const table = document.getElementById(plot.dataset.table);
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const isCompared = plot.dataset.chart === "compared";
    const texts = (column) => rows.map((row) => row.cells[column]?.textContent);
    const has = (element, name) => element.classList.contains(name);
    const series = (head, column) => {
      const isPrevious = isCompared && head > 0;
      return {
        name: heads[head].textContent,
        colour: heads[head].dataset.colour,
        /* Buckets to come would look like a fall to 0. */
        data: rows.map((row) => (isPrevious || !has(row, "future") ? count(row.cells[column]) : null)),
        cut: rows.map((row) => has(isPrevious ? row.cells[head] : row, "cut")),
      };
    };
    return {
      isCompared,
      labels: rows.map(({ dataset }) => (dataset.note ? [dataset.label, dataset.note] : dataset.label)),
      names: [texts(0), texts(2)],
      changes: texts(4),
      filling: rows.findIndex((row) => has(row, "filling")),
      series: heads.flatMap((head, index) => (head.dataset.colour ? [series(index, index + isCompared)] : [])),
      last: heads.filter((head) => head.className !== "stats-marks").at(-1).textContent,
      marks: rows.map((row) => row.querySelector(".stats-marks")?.dataset.said),
    };
  };

  /* What a colour of the stylesheet comes to on this page. */
  const computed = (plot, expression) => {
    plot.style.color = expression;
    const { color } = getComputedStyle(plot);
    plot.style.color = "";
    return color;
  };
  const tone = (plot, name) => computed(plot, `var(--_${name})`);
  const paler = (plot, name) => computed(plot, `color-mix(in srgb, var(--_${name}) 35%, var(--_ground))`);

  /* A bucket that is not over. */
  const stripes = (colour) => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    for (const shift of [-6, 0, 6]) {
      pen.beginPath();
      pen.moveTo(shift, 6);
      pen.lineTo(shift + 6, 0);
      pen.stroke();
    }
    return pen.createPattern(tile, "repeat");
  };

  const lineSets = (data, plot) => data.series.map(({ data: numbers, colour: name, cut }, index) => {
    const isCurrent = index === 0;
    const [colour, pale, ground] = [tone(plot, name), paler(plot, name), tone(plot, "ground")];
    const isFilling = (at) => isCurrent && at === data.filling;
    const isPart = (at) => isFilling(at) || cut[at];
    /* A point without neighbours has no line. */
    const isAlone = (at) => (numbers[at - 1] ?? numbers[at + 1] ?? null) === null;
    const isDotted = isCurrent && numbers.length <= 45;
    return {
      data: numbers,
      borderColor: colour,
      backgroundColor: tone(plot, "fill"),
      pointBackgroundColor: ({ dataIndex: at }) => (isPart(at) ? ground : colour),
      pointStyle: ({ dataIndex: at }) => (cut[at] ? "rectRot" : "circle"),
      pointRadius: ({ dataIndex: at }) => (isDotted || isPart(at) || isAlone(at) ? 3.5 : 0),
      pointHoverRadius: 5,
      borderWidth: isCurrent ? 2 : 1.5,
      borderDash: isCurrent ? [] : [4, 4],
      segment: {
        borderDash: ({ p1DataIndex: to }) => (isFilling(to) ? [2, 3] : undefined),
        borderColor: ({ p0DataIndex: from, p1DataIndex: to }) => (cut[from] || cut[to] ? pale : undefined),
      },
      fill: isCurrent && "origin",
    };
  });

  const barFill = (data, plot, { colour: name, cut }) => {
    const [colour, hatch, pale] = [tone(plot, name), stripes(tone(plot, name)), paler(plot, name)];
    return ({ dataIndex }) => (dataIndex === data.filling ? hatch : cut[dataIndex] ? pale : colour);
  };

  /* One bucket makes no line. */
  const pairSets = (data, plot) => data.series.map((series, index) => ({
    data: series.data,
    backgroundColor: index ? "transparent" : barFill(data, plot, series),
    borderColor: tone(plot, series.colour),
    borderWidth: index ? 2 : 0,
    barThickness: PAIR_WIDTH,
    minBarLength: 2,
  }));

  const barSets = (data, plot) => data.series.map((series) => ({
    data: series.data,
    backgroundColor: barFill(data, plot, series),
    borderColor: tone(plot, "ground"),
    borderWidth: { top: 1 },
    borderSkipped: false,
    maxBarThickness: 56,
    categoryPercentage: 0.9,
    barPercentage: series.data.length > 60 ? 1 : 0.9,
  }));

  const datasets = (data, plot) => {
    if (!data.isCompared) return barSets(data, plot);
    return data.labels.length === 1 ? pairSets(data, plot) : lineSets(data, plot);
  };

  const writer = (chart, weight = 400) => {
    const { caretPadding } = chart.options.plugins.tooltip;
    const room = Math.min(300, chart.width * 0.43 - caretPadding) - 2 * PADDING - FONT_SIZE - 2;
    const fits = (text) => {
      chart.ctx.font = `${weight} ${FONT_SIZE}px ${chart.options.font.family}`;
      return chart.ctx.measureText(text).width <= room;
    };
    /* A cut name keeps its direction. */
    const named = (value, name) => {
      const kept = Array.from(letters.segment(name), ({ segment }) => segment);
      const isolated = (text) => `${value}  \u2068${text}\u2069`;
      if (kept.length <= NAME_LENGTH && fits(isolated(name))) return isolated(name);
      kept.length = Math.min(kept.length, NAME_LENGTH);
      while (kept.length > 1 && !fits(isolated(`${kept.join("")}…`))) kept.pop();
      return isolated(`${kept.join("").trimEnd()}…`);
    };
    const wrapped = (text) => {
      const lines = [];
      for (let word of text.split(" ")) {
        while (word[1] && !fits(word)) word = `${[...word].slice(0, -2).join("")}…`;
        const longer = [...lines.slice(-1), word].join(" ");
        if (fits(longer)) lines.splice(-1, 1, longer);
        else lines.push(word);
      }
      return lines.slice(0, 4);
    };
    return { named, wrapped };
  };

  const tooltip = (data) => {
    const value = (item) => number.format(item.parsed.y);
    const said = (item, text, weight) => (text ? writer(item.chart, weight).wrapped(text) : "");
    const afterFooter = ([item]) => item && said(item, data.marks[item.dataIndex]);
    if (data.isCompared) {
      return {
        title: () => "",
        label: (item) => said(item, `${value(item)}  ${data.names[item.datasetIndex][item.dataIndex]}`),
        footer: ([item, other]) => {
          const change = other && data.changes[item.dataIndex];
          return change ? said(item, `${data.last}: ${change}`, 600) : "";
        },
        afterFooter,
      };
    }
    return {
      title: ([item]) => item && said(item, data.names[0][item.dataIndex]),
      label: (item) => writer(item.chart).named(value(item), data.series[item.datasetIndex].name),
      footer: (items) => `${number.format(items.reduce((sum, item) => sum + item.parsed.y, 0))}  ${data.last}`,
      afterFooter,
    };
  };

  const options = (data, plot) => {
    const [ground, text, quiet, line] = ["ground", "text", "quiet", "line"].map((name) => tone(plot, name));
    const stacked = !data.isCompared;
    const font = { family: getComputedStyle(plot).fontFamily, size: FONT_SIZE };
    return {
      animation: false,
      maintainAspectRatio: false,
      locale: language,
      font,
      /* Chart.js does not know all notations of colours. */
      hoverBackgroundColor: (_, { backgroundColor }) => backgroundColor,
      hoverBorderColor: (_, { borderColor }) => borderColor,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: {
          stacked,
          grid: { display: false },
          border: { color: line },
          ticks: { color: quiet, maxRotation: 0, autoSkipPadding: 16 },
        },
        y: {
          stacked,
          beginAtZero: true,
          suggestedMax: 4,
          border: { display: false },
          grid: { color: line },
          ticks: { color: quiet, maxTicksLimit: 5, precision: 0, callback: (value) => number.format(value) },
        },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          yAlign: "center",
          caretPadding: data.isCompared && data.labels.length === 1 ? PAIR_WIDTH + 2 : 2,
          backgroundColor: ground,
          borderColor: line,
          borderWidth: 1,
          titleColor: text,
          bodyColor: text,
          footerColor: text,
          usePointStyle: true,
          titleFont: font,
          padding: PADDING,
          boxPadding: 2,
          filter: (item) => item.parsed.y !== null && (data.isCompared || item.parsed.y > 0),
          callbacks: {
            ...tooltip(data),
            labelPointStyle: () => ({ pointStyle: "rect" }),
            labelColor: ({ datasetIndex }) => {
              const colour = tone(plot, data.series[datasetIndex].colour);
              return { borderColor: colour, backgroundColor: colour };
            },
          },
        },
      },
    };
  };

  /* A line and a flag where campaigns begin and end. */
  const marks = (data, plot) => ({
    id: "marks",
    beforeDatasetsDraw({ ctx, chartArea: { top, bottom, right }, scales }) {
      ctx.fillStyle = tone(plot, "quiet");
      data.marks.forEach((mark, at) => {
        if (!mark) return;
        const left = Math.min(scales.x.getPixelForValue(at), right - 6);
        ctx.fillRect(left, top, 1, bottom - top);
        ctx.fillRect(left, top, 6, 6);
      });
    },
  });

  const draw = (plot) => {
    const data = read(plot);
    const isLine = data.isCompared && data.labels.length > 1;
    const chart = new Chart(plot.querySelector("canvas"), {
      type: isLine ? "line" : "bar",
      data: { labels: data.labels, datasets: datasets(data, plot) },
      options: options(data, plot),
      plugins: [marks(data, plot)],
    });
    plot.querySelectorAll(".stats-legend button").forEach((button, index) => {
      button.addEventListener("click", () => {
        const shows = !chart.isDatasetVisible(index);
        chart.setDatasetVisibility(index, shows);
        button.setAttribute("aria-pressed", String(shows));
        chart.update();
      });
    });
    plot.classList.add("stats-drawn");
    drawn.push({ plot, data, chart });
  };

  /* Colours are read when a chart is drawn. */
  const redraw = () => {
    for (const { plot, data, chart } of drawn) {
      datasets(data, plot).forEach((set, index) => Object.assign(chart.data.datasets[index], set));
      chart.options = options(data, plot);
      chart.update("none");
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (typeof Chart === "undefined") {
      for (const plot of document.querySelectorAll(".stats-plot")) plot.hidden = true;
      for (const details of document.querySelectorAll(".stats-more")) details.open = true;
      return;
    }
    document.querySelectorAll("[data-chart]").forEach(draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new MutationObserver(redraw).observe(root, { attributeFilter: ["class", "style", "data-theme", "data-bs-theme"] });
  });

  /* A page that comes back as it was left has in its fields what was chosen since. */
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) for (const form of document.querySelectorAll(".stats-period")) form.reset();
  });

  const print = (isPrinting) => {
    root.classList.toggle("stats-printing", isPrinting);
    redraw();
    for (const { chart } of drawn) chart.resize(...(isPrinting ? PAPER : []));
  };
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
})();
