// How figures are worded.

export const NONE = '–';

export function percent(part) {
  if (part === null || part === undefined) return NONE;
  if (part > 0 && part < 0.001) return '< 0.1%';
  // 99.96% is not certain: it must not be rounded to 100%.
  if (part < 1 && part >= 0.9995) return '> 99.9%';
  return `${(100 * part).toFixed(1)}%`;
}

export function accuracy(part) {
  return part === null || part === undefined ? NONE : `${(100 * part).toFixed(2)}%`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export const count = (number) => (number === null || number === undefined ? NONE : Math.round(number).toLocaleString('en'));

export const significant = (number) => (number === null || number === undefined ? NONE : Number(number.toPrecision(4)).toString());

// The lines of a picture's text.
export const inOneLine = (text) => text.replaceAll('\n', ' / ');

// 'a 7', 'an 8', 'Sandal'
export function withArticle(digit, name) {
  if (name !== String(digit)) return name;
  return digit === 8 ? 'an 8' : `a ${digit}`;
}
