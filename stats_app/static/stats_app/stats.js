/* Draws the charts of a report from the tables below them. Without it the tables are open and say the same. */
(() => {
  "use strict";

  const root = document.documentElement;
  const language = root.lang || undefined;
  const number = new Intl.NumberFormat(language);
  const COLOURS = 10;
  /* A chart as wide as the screen would make the browser shrink the whole page to fit the paper. */
  const PAPER = [680, 260];
  const drawn = [];

  /* Tables stand open for those without scripts; here the chart comes first. */
  for (const details of document.querySelectorAll("details[data-closes]")) details.open = false;

  /* Whatever separates thousands. An empty cell is no 0. */
  const count = (cell) => {
    const digits = cell.textContent.replace(/\D/g, "");
    return digits ? Number(digits) : null;
  };

  const read = (plot) => {
    const table = document.getElementById(plot.dataset.table);
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const texts = (column) => rows.map((row) => row.cells[column].textContent);
    /* Buckets to come would look like a fall to 0; those of the previous period have all been. */
    const series = (head, column = head, hasBeen = false) => ({
      name: heads[head].textContent,
      data: rows.map((row) => (hasBeen || !row.classList.contains("future") ? count(row.cells[column]) : null)),
      isRest: "rest" in heads[head].dataset,
    });
    const type = plot.dataset.chart;
    const isCompared = type === "compared";
    const hasPrevious = isCompared && heads.length > 2;
    return {
      type,
      labels: rows.map((row) => row.dataset.label),
      names: texts(0),
      previousNames: hasPrevious ? texts(2) : [],
      changes: hasPrevious ? texts(4) : [],
      filling: rows.findIndex((row) => row.classList.contains("filling")),
      series: isCompared
        ? [series(0, 1), ...(hasPrevious ? [series(2, 3, true)] : [])]
        : heads.slice(1, -1).map((_, index) => series(index + 1)),
      last: heads.at(-1).textContent,
    };
  };

  const colour = (element, name) => getComputedStyle(element).getPropertyValue(`--stats-${name}`).trim();

  const colourNames = (data) => {
    if (data.type === "compared") return ["accent", "quiet"];
    return data.series.map((series, index) => (series.isRest ? "rest" : `c${(index % COLOURS) + 1}`));
  };

  /* A bucket that is not over: stripes in the series' own colour. */
  const stripes = (tone) => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const pen = tile.getContext("2d");
    pen.strokeStyle = tone;
    pen.lineWidth = 2;
    for (const shift of [-6, 0, 6]) {
      pen.beginPath();
      pen.moveTo(shift, 6);
      pen.lineTo(shift + 6, 0);
      pen.stroke();
    }
    return pen.createPattern(tile, "repeat");
  };

  const lineSets = (data, tones, plot) => data.series.map((series, index) => {
    const isCurrent = index === 0;
    const few = series.data.length <= 45;
    return {
      label: series.name,
      data: series.data,
      borderColor: tones[index],
      backgroundColor: isCurrent ? colour(plot, "fill") : "transparent",
      pointBackgroundColor: (point) => (isCurrent && point.dataIndex === data.filling ? colour(plot, "ground") : tones[index]),
      borderWidth: isCurrent ? 2 : 1.5,
      borderDash: isCurrent ? [] : [4, 4],
      segment: { borderDash: (part) => (isCurrent && part.p1DataIndex === data.filling ? [2, 3] : undefined) },
      pointRadius: (point) => (isCurrent && (few || point.dataIndex === data.filling) ? 3 : 0),
      pointHoverRadius: 5,
      fill: isCurrent ? "origin" : false,
      tension: 0,
      order: index,
    };
  });

  const barSets = (data, tones) => data.series.map((series, index) => {
    const hatch = stripes(tones[index]);
    return {
      label: series.name,
      data: series.data,
      backgroundColor: (bar) => (bar.dataIndex === data.filling ? hatch : tones[index]),
      maxBarThickness: 56,
      categoryPercentage: 0.9,
      barPercentage: series.data.length > 60 ? 1 : 0.9,
    };
  });

  const tooltip = (data) => {
    if (data.type === "compared") {
      return {
        title: () => "",
        label: (item) => {
          const names = item.datasetIndex ? data.previousNames : data.names;
          return ` ${names[item.dataIndex]}: ${number.format(item.parsed.y)}`;
        },
        footer: (items) => {
          const change = items.length > 1 && data.changes[items[0].dataIndex];
          return change ? `${data.last}: ${change}` : "";
        },
      };
    }
    return {
      title: (items) => (items.length ? data.names[items[0].dataIndex] : ""),
      label: (item) => ` ${item.dataset.label}: ${number.format(item.parsed.y)}`,
      footer: (items) => `${data.last}: ${number.format(items.reduce((sum, item) => sum + item.parsed.y, 0))}`,
    };
  };

  const options = (data, plot) => {
    const text = colour(plot, "quiet");
    const stacked = data.type === "stacked";
    const font = { family: getComputedStyle(plot).fontFamily, size: 12 };
    return {
      animation: false,
      maintainAspectRatio: false,
      locale: language,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: {
          stacked,
          grid: { display: false },
          border: { color: colour(plot, "line") },
          ticks: { color: text, font, maxRotation: 0, autoSkipPadding: 16 },
        },
        y: {
          stacked,
          beginAtZero: true,
          suggestedMax: 4,
          border: { display: false },
          grid: { color: colour(plot, "line") },
          ticks: { color: text, font, maxTicksLimit: 5, precision: 0, callback: (value) => number.format(value) },
        },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          backgroundColor: colour(plot, "ground"),
          borderColor: colour(plot, "line"),
          borderWidth: 1,
          titleColor: colour(plot, "text"),
          bodyColor: colour(plot, "text"),
          footerColor: colour(plot, "text"),
          titleFont: font,
          bodyFont: font,
          footerFont: { ...font, weight: 600 },
          padding: 12,
          boxWidth: 10,
          boxHeight: 10,
          filter: (item) => item.parsed.y !== null && (data.type === "compared" || item.parsed.y > 0),
          callbacks: tooltip(data),
        },
      },
    };
  };

  const legend = (plot, data, chart, tones) => {
    const buttons = data.series.map((series, index) => {
      const button = document.createElement("button");
      const swatch = document.createElement("span");
      const isDashed = data.type === "compared" && index === 1;
      button.type = "button";
      button.setAttribute("aria-pressed", String(chart.isDatasetVisible(index)));
      swatch.className = isDashed ? "stats-swatch dashed" : "stats-swatch";
      swatch.style[isDashed ? "borderColor" : "backgroundColor"] = tones[index];
      button.append(swatch, series.name);
      button.addEventListener("click", () => {
        const shows = !chart.isDatasetVisible(index);
        chart.setDatasetVisibility(index, shows);
        button.setAttribute("aria-pressed", String(shows));
        chart.update();
      });
      return button;
    });
    plot.querySelector(".stats-legend").replaceChildren(...buttons);
  };

  const configure = (plot, data) => {
    const tones = colourNames(data).map((name) => colour(plot, name));
    const datasets = data.type === "compared" ? lineSets(data, tones, plot) : barSets(data, tones);
    return { tones, datasets, options: options(data, plot) };
  };

  const draw = (plot) => {
    const data = read(plot);
    plot.classList.add("stats-drawn");
    const { tones, datasets, options: own } = configure(plot, data);
    const chart = new Chart(plot.querySelector("canvas"), {
      type: data.type === "compared" ? "line" : "bar", data: { labels: data.labels, datasets }, options: own,
    });
    legend(plot, data, chart, tones);
    drawn.push({ plot, data, chart });
  };

  /* Colours are read when a chart is drawn, so that a change of theme draws it anew. */
  const redraw = () => {
    for (const { plot, data, chart } of drawn) {
      const hidden = data.series.map((_, index) => !chart.isDatasetVisible(index));
      const { tones, datasets, options: own } = configure(plot, data);
      chart.data.datasets = datasets;
      chart.options = own;
      hidden.forEach((isHidden, index) => chart.setDatasetVisibility(index, !isHidden));
      chart.update("none");
      legend(plot, data, chart, tones);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (typeof Chart === "undefined") {
      for (const details of document.querySelectorAll("details[data-closes]")) details.open = true;
      return;
    }
    document.querySelectorAll("[data-chart]").forEach(draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new MutationObserver(redraw).observe(root, { attributeFilter: ["data-theme"] });
  });

  /* On paper everything is there: in light colours, with every table. */
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details[data-closes]:not([open])")];
    for (const details of closed) details.open = true;
    root.classList.add("stats-printing");
    redraw();
    for (const { chart } of drawn) chart.resize(...PAPER);
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
    root.classList.remove("stats-printing");
    redraw();
    for (const { chart } of drawn) chart.resize();
  });
})();
