/** The exit codes, as the README lists them. */
export const EXIT = {
  pass: 0,
  fail: 1,
  unknown: 2,
  usage: 3,
  harness: 4,
  leftover: 5,
  interrupted: 130,
} as const;
