// Plots as SVG, written by Apache ECharts without a browser. All share one size and one style; the
// peer and Stillframe have their colours everywhere.
import * as echarts from 'echarts';
import type { Axis, BarPlot, Figure, LinePlot, Plot, Side } from './result.js';

const WIDTH = 860;
const HEIGHT = 360;
const COLOURS: Readonly<Record<Side, string>> = { peer: '#c0392b', ours: '#1f6fb2' };
const SHADES: Readonly<Record<Side, string>> = { peer: '#c0392b1c', ours: '#1f6fb238' };
/** Of series that are of neither. */
const OTHERS = ['#1f6fb2', '#c0392b', '#2e8b57', '#8e5ea2', '#d68910', '#5d6d7e', '#16a2b8'];

/** An SVG image with a white ground. The same plot gives the same text. */
export function renderPlot(plot: Plot): string {
  const chart = echarts.init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH,
    height: HEIGHT,
  });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      color: OTHERS,
      title: {
        text: plot.title,
        left: 'center',
        textStyle: { fontSize: 15, fontWeight: 'normal' },
      },
      grid: { left: 72, right: 28, top: 70, bottom: plot.kind === 'lines' ? 48 : 64 },
      legend: { top: 34, itemGap: 26, itemWidth: 16 },
      textStyle: { fontFamily: 'Arial, Helvetica, sans-serif' },
      ...(plot.kind === 'lines' ? lines(plot) : bars(plot)),
    });
    return `${steadyNames(chart.renderToSVGString())}\n`;
  } finally {
    chart.dispose();
  }
}

function lines(plot: LinePlot): echarts.EChartsOption {
  return {
    xAxis: { ...axis(plot.x), nameLocation: 'middle', nameGap: 28, scale: true },
    yAxis: {
      ...axis(plot.y),
      nameLocation: 'middle',
      nameGap: 52,
      axisLine: { onZero: false },
    },
    series: plot.series.map((one, i) => ({
      type: 'line',
      name: one.name,
      data: one.points.map(([x, y]) => [x, drawable(y, plot.y)]),
      showSymbol: one.points.length <= 20,
      symbolSize: 5,
      lineStyle: { width: 1.5 },
      ...colour(one.side),
      ...(i === 0 ? { markArea: shaded(plot) } : {}),
    })),
  };
}

function bars(plot: BarPlot): echarts.EChartsOption {
  const crowded = plot.categories.join('').length > 90;
  return {
    xAxis: {
      type: 'category',
      data: [...plot.categories],
      axisLabel: { interval: 0, fontSize: 11, ...(crowded ? { rotate: 20 } : {}) },
    },
    yAxis: {
      ...axis(plot.y),
      ...(plot.y.logarithmic === true ? ground(plot) : {}),
      nameLocation: 'middle',
      nameGap: 52,
    },
    series: plot.series.map((one) => ({
      type: 'bar',
      name: one.name,
      data: one.values.map((value) => drawable(value, plot.y)),
      ...colour(one.side),
    })),
  };
}

function axis({ name, logarithmic }: Axis) {
  // Without this a logarithm's rounding error becomes 0.00009999999999999999.
  const formatter = (value: number): string => String(Number(value.toPrecision(6)));
  const type = logarithmic === true ? ('log' as const) : ('value' as const);
  return { type, name, axisLabel: { formatter } };
}

/** Where bars on a logarithmic axis begin: the power of ten below all of them, not 1. */
function ground(plot: BarPlot): { min: number; startValue: number } {
  const values = plot.series.flatMap((one) => one.values).filter((one) => one !== null && one > 0);
  const least = 10 ** Math.floor(Math.log10(Math.min(...(values as number[]), 1)));
  return { min: least, startValue: least };
}

/** A logarithmic axis has no place for zero: the point is left out. */
function drawable(value: Figure, { logarithmic }: Axis): number | '-' {
  return value === null || (logarithmic === true && value <= 0) ? '-' : value;
}

function colour(side: Side | undefined): object {
  return side === undefined ? {} : { itemStyle: { color: COLOURS[side] }, color: COLOURS[side] };
}

function shaded({ spans = [] }: LinePlot): object {
  return {
    silent: true,
    data: spans.map(({ side, begin, end }) => [
      { xAxis: begin, itemStyle: { color: SHADES[side] } },
      { xAxis: end },
    ]),
  };
}

/** ECharts numbers its style classes through the process; here each image starts at 0. */
function steadyNames(svg: string): string {
  const names = new Map<string, string>();
  return svg.replace(/\bzr\d+-[a-z]+-?\d+\b/g, (name) => {
    const kind = name.replace(/^zr\d+-/, '').replace(/-?\d+$/, '');
    if (!names.has(name)) names.set(name, `${kind}-${names.size}`);
    return names.get(name) as string;
  });
}
