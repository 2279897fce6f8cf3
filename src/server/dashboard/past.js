// What the daemon remembers of the host, asked for by PromQL, in the form of the charts' history.

import { HOUR_S } from './history.js';
import { queryRange } from './rest.js';

const STEP_S = 10;

/** The columns of the charts, each with what it is made of. */
const COLUMNS = {
  cpu: 'system_cpu_usage_percent',
  memory: 'system_memory_used_bytes',
  swap: 'system_swap_used_bytes',
  load1: 'system_load1',
  load5: 'system_load5',
  load15: 'system_load15',
  receive: traffic('receive'),
  transmit: traffic('transmit'),
};

const CORES = 'system_cpu_core_usage_percent';

function traffic(direction) {
  return `sum(irate(system_network_${direction}_bytes_total{interface!="lo"}[1m]))`;
}

/** Of these the least and the greatest value of each step are shown beside the mean. */
const BANDS = ['cpu', 'memory', 'load1'];

/** The same over steps so long that many samples lie in each. */
function longColumns(step) {
  const over = (function_, name) => `${function_}_over_time(${COLUMNS[name]}[${step}s])`;
  const columns = Object.fromEntries(Object.keys(COLUMNS).map(name => [name, over('avg', name)]));
  for (const direction of ['receive', 'transmit']) {
    columns[direction] = `sum(rate(system_network_${direction}_bytes_total{interface!="lo"}[${Math.max(step, 120)}s]))`;
  }
  for (const name of BANDS) [columns[`${name}-min`], columns[`${name}-max`]] = [over('min', name), over('max', name)];
  return columns;
}

/** The last `range` seconds until `now` in steps of `step`, as `{times, columns, cores, step}`; null where nothing is known. */
export async function loadLong(now, range, step) {
  const end = Math.floor(now / step) * step;
  const start = end - range;
  const ask = expression => queryRange(expression, start, end, step);
  const wanted = longColumns(step);
  const names = Object.keys(wanted);
  const [cores, ...found] = await Promise.all([ask(`avg_over_time(${CORES}[${step}s])`), ...names.map(name => ask(wanted[name]))]);
  const times = Array.from({ length: range / step + 1 }, (_, i) => start + i * step);
  const column = values => {
    const all = times.map(() => null);
    for (const [time, value] of values ?? []) all[Math.round((time - start) / step)] = number(value);
    return all;
  };
  const rows = cores.sort(byCore).map(({ values }) => column(values));
  return {
    times,
    columns: Object.fromEntries(names.map((name, i) => [name, column(found[i][0]?.values)])),
    cores: times.map((_, i) => rows.some(row => row[i] !== null) ? rows.map(row => row[i]) : null),
    step,
  };
}

const byCore = (a, b) => String(a.metric.core).localeCompare(String(b.metric.core), 'en', { numeric: true });

/** The last hour until `now` (seconds since 1970, by the daemon's clock) as `[{time, values, cores}]`. */
export async function loadPast(now) {
  // Times are multiples of the step, so that two loads agree.
  const end = Math.floor(now / STEP_S) * STEP_S;
  const ask = expression => queryRange(expression, end - HOUR_S, end, STEP_S);
  const names = Object.keys(COLUMNS);
  const [cores, ...columns] = await Promise.all([ask(CORES), ...names.map(name => ask(COLUMNS[name]))]);
  const points = new Map();
  const at = time => {
    if (!points.has(time)) points.set(time, { time, values: {}, cores: null });
    return points.get(time);
  };
  columns.forEach((series, i) => {
    for (const [time, value] of series[0]?.values ?? []) at(time).values[names[i]] = number(value);
  });
  cores.sort(byCore).forEach(({ values }, row) => {
    for (const [time, value] of values) {
      const point = at(time);
      point.cores ??= cores.map(() => null);
      point.cores[row] = number(value);
    }
  });
  return [...points.values()].sort((a, b) => a.time - b.time);
}

/** Numbers come as texts, because some are none in JSON. */
function number(text) {
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
