/**
 * Exact one-sided (Clopper–Pearson) bounds of a proportion. "One-sided 95 %" is the end of a two-sided 90 % interval.
 * Densities follow Loader's saddle-point form, so nothing is lost to cancellation at millions of samples.
 */

/** Smallest proportion that the sample does not contradict at `confidence`: 0 without events, and for n = 0. */
export function lowerBound(events: number, n: number, confidence: number): number {
  return 1 - upperBound(n - events, n, confidence);
}

/** Largest proportion that the sample does not contradict at `confidence`: 1 when all were events, and for n = 0. */
export function upperBound(events: number, n: number, confidence: number): number {
  assertSample(events, n, confidence);
  if (events >= n) return 1;
  if (events === 0) return -Math.expm1(Math.log1p(-confidence) / n);
  return solveForProportion(events, n, 1 - confidence);
}

/** Fewest samples, `failures` of them bad, whose lower bound of the good share reaches `target` (0 < target < 1). */
export function samplesNeeded(target: number, failures: number, confidence: number): number {
  assertSample(0, failures, confidence);
  assertTarget(target);
  const enough = (n: number): boolean => cdf(failures, n, 1 - target) <= 1 - confidence;
  let high = Math.max(1, failures + 1);
  while (!enough(high)) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Most bad ones of `n` with which the lower bound still reaches `target`; undefined when not even none is enough. */
export function failuresAllowed(n: number, target: number, confidence: number): number | undefined {
  assertSample(0, n, confidence);
  assertTarget(target);
  const allowed = (failures: number): boolean => cdf(failures, n, 1 - target) <= 1 - confidence;
  if (n === 0 || !allowed(0)) return undefined;
  let low = 0;
  let high = n;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (allowed(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** P(X ≤ k) of a binomial with n draws of chance p. */
export function cdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n || p <= 0) return 1;
  if (p >= 1) return 0;
  return regularisedBeta(n - k, k + 1, 1 - p, p);
}

/** P(X = k) of a binomial with n draws of chance p. */
export function pmf(k: number, n: number, p: number): number {
  if (k < 0 || k > n) return 0;
  if (p <= 0) return k === 0 ? 1 : 0;
  if (p >= 1) return k === n ? 1 : 0;
  return density(k, n - k, p, 1 - p);
}

/** The p at which P(X ≤ k) falls to `tail`; 0 < k < n. Newton steps kept inside a shrinking bracket. */
function solveForProportion(k: number, n: number, tail: number): number {
  let low = 0;
  let high = 1;
  let p = Math.min(0.999, (k + 1) / n);
  for (let step = 0; step < 200; step++) {
    const excess = cdf(k, n, p) - tail;
    if (excess === 0) return p;
    if (excess > 0) low = p;
    else high = p;
    // d/dp P(X ≤ k) = −(n − k)·P(X = k | n, p)/(1 − p)
    const slope = ((n - k) * pmf(k, n, p)) / (1 - p);
    const newton = p + excess / slope;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - p) <= Number.EPSILON * p) return next;
    p = next;
  }
  return p;
}

/** I_x(a, b), with y = 1 − x given apart so that neither loses digits near 1. */
function regularisedBeta(a: number, b: number, x: number, y: number): number {
  if (x <= (a + 1) / (a + b + 2)) return betaTail(a, b, x, y);
  return 1 - betaTail(b, a, y, x);
}

/** The continued fraction of I_x(a, b) by Lentz's method; converges fast for x below the mean. */
function betaTail(a: number, b: number, x: number, y: number): number {
  const front = density(a, b, x, y) * (b / (a + b));
  const tiny = Number.MIN_VALUE / Number.EPSILON;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let fraction = d;
  const stepsMax = 1000 + 20 * Math.ceil(Math.sqrt(a + b));
  for (let m = 1; m <= stepsMax; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 + term * d;
      d = 1 / (Math.abs(d) < tiny ? tiny : d);
      c = 1 + term / c;
      if (Math.abs(c) < tiny) c = tiny;
      change = c * d;
      fraction *= change;
    }
    if (Math.abs(change - 1) <= Number.EPSILON) return front * fraction;
  }
  return front * fraction;
}

/** Γ(a+b+1)/(Γ(a+1)Γ(b+1))·x^a·y^b: the binomial probability of a in a + b, for real a and b too. */
function density(a: number, b: number, x: number, y: number): number {
  const n = a + b;
  if (a === 0) return Math.exp(b * logOf(y, x));
  if (b === 0) return Math.exp(a * logOf(x, y));
  const exponent = stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x) - deviance(b, n * y);
  return Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * a * b));
}

/** ln x where y = 1 − x, from whichever of the two is the exact one. */
function logOf(x: number, y: number): number {
  return y < 0.5 ? Math.log1p(-y) : Math.log(x);
}

/** a·ln(a/m) + m − a, without cancellation when a is near m. */
function deviance(a: number, m: number): number {
  const difference = a - m;
  const sum = a + m;
  if (Math.abs(difference) >= 0.1 * sum) return a * Math.log(a / m) + m - a;
  const v = difference / sum;
  let total = difference * v;
  let power = 2 * a * v;
  for (let j = 1; j < 1000; j++) {
    power *= v * v;
    const next = total + power / (2 * j + 1);
    if (next === total) return next;
    total = next;
  }
  return total;
}

/** ln Γ(z+1) − (z + ½)·ln z + z − ½·ln 2π: what Stirling's formula leaves, for z > 0. */
function stirlingError(z: number): number {
  // The series is good to the last digit from 16 on; below, climb there by Γ(z+2) = (z+1)·Γ(z+1).
  if (z < 16) {
    return stirlingError(z + 1) - 1 + (z + 0.5) * Math.log1p(1 / z);
  }
  const q = 1 / (z * z);
  return (1 / 12 - q * (1 / 360 - q * (1 / 1260 - q * (1 / 1680 - q * (1 / 1188 - (q * 691) / 360360))))) / z;
}

function assertSample(events: number, n: number, confidence: number): void {
  if (!(Number.isInteger(events) && Number.isInteger(n) && events >= 0 && events <= n)) {
    throw new RangeError(`not a sample: ${events} of ${n}`);
  }
  if (!(confidence > 0 && confidence < 1)) throw new RangeError(`not a confidence: ${confidence}`);
}

function assertTarget(target: number): void {
  if (!(target > 0 && target < 1)) throw new RangeError(`a target lies between 0 and 1: ${target}`);
}
