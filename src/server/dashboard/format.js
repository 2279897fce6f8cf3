// Numbers, times and sizes as people read them. What was not measured is a dash.

export const NONE = '–';

const known = value => typeof value === 'number' && Number.isFinite(value);

/** Three significant digits at least, and no more decimals than that takes. */
function digits(value) {
  const decimals = Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2;
  return value.toFixed(decimals);
}

function scaled(value, base, units) {
  let at = 0;
  while (Math.abs(value) >= base * 0.9995 && at < units.length - 1) {
    value /= base;
    at += 1;
  }
  return `${at === 0 ? Math.round(value) : digits(value)} ${units[at]}`;
}

/** Bytes held, in powers of 1024. */
export const bytes = value => known(value) ? scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']) : NONE;

/** Bytes per second, in powers of 1000 as networks count. */
export const rate = value => known(value) ? scaled(value, 1000, ['B/s', 'kB/s', 'MB/s', 'GB/s', 'TB/s']) : NONE;

export const percent = value => known(value) ? `${value.toFixed(1)} %` : NONE;

export const load = value => known(value) ? value.toFixed(2) : NONE;

export const celsius = value => known(value) ? `${value.toFixed(0)} °C` : NONE;

export const count = value => known(value) ? Math.round(value).toLocaleString('en') : NONE;

/** A number of unknown unit, as in an alert's value. */
export const plain = value => known(value) ? value.toLocaleString('en', Math.abs(value) < 10_000 ? { maximumSignificantDigits: 5 } : { maximumFractionDigits: 0 }) : NONE;

/** Axis labels: as above without needless decimals. */
export const short = format => value => format(value).replace(/\.0+(?= |$)|(\.\d*?)0+(?= |$)/, '$1');

/** So many a second, or a minute or an hour if that is easier to read; nothing if it is not known. */
export function pace(perSecond, unit) {
  if (!known(perSecond)) return '';
  const [times, name] = perSecond >= 1 || perSecond === 0 ? [1, 's'] : perSecond * 60 >= 1 ? [60, 'min'] : [3600, 'h'];
  return `${(perSecond * times).toLocaleString('en', { maximumSignificantDigits: 3 })}${unit}/${name}`;
}

/** Seconds as "3 d 4 h", "5 min 12 s" or "8 s". */
export function duration(seconds) {
  if (!known(seconds)) return NONE;
  const all = Math.max(0, Math.floor(seconds));
  const parts = [[Math.floor(all / 86400), 'd'], [Math.floor(all / 3600) % 24, 'h'], [Math.floor(all / 60) % 60, 'min'], [all % 60, 's']];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return '0 s';
  return parts.slice(first, first + 2).filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`).join(' ');
}

/** Milliseconds since 1970 of an RFC 3339 string; null when it is none. */
export function instant(value) {
  const at = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? null : at;
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** Local time as hours and minutes. */
export const minute = at => CLOCK.format(new Date(at)).slice(0, 5);

/** The local date without its year. */
export const day = at => DAY.format(new Date(at));

/** Local time of day, with the date when it is not today's. */
export function clock(at) {
  if (at === null) return NONE;
  const time = new Date(at);
  const today = time.toDateString() === new Date().toDateString();
  return today ? CLOCK.format(time) : `${DAY.format(time)} ${minute(time)}`;
}
