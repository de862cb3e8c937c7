// Fictional people and notes, new in every run, from the templates that all clients share.

import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';

const digits = (count) => String(randomInt(10 ** count)).padStart(count, '0');

/** A well-formed number (INS-NIR) of a birthplace that does not exist. */
export function personNumber() {
  const month = String(1 + randomInt(12)).padStart(2, '0');
  const order = String(1 + randomInt(999)).padStart(3, '0');
  const body = `${1 + randomInt(2)}${digits(2)}${month}99${String(randomInt(99)).padStart(3, '0')}${order}`;
  return body + String(97n - (BigInt(body) % 97n)).padStart(2, '0');
}

/** A well-formed RPPS number of a range that is not given out. */
export function professionalNumber() {
  const body = `99${digits(8)}`;
  const sum = [...body].reverse().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 === 0 ? 2 : 1);
    return total + Math.floor(value / 10) + (value % 10);
  }, 0);
  return body + String((10 - (sum % 10)) % 10);
}

/** The number a note has in the software it comes from. */
export const noteNumber = () => randomBytes(12).toString('hex');

/** A template with its places filled. */
export function resource(release, name, values = {}) {
  const text = readFileSync(new URL(`../resources/${release}/${name}.json`, import.meta.url), 'utf8');
  const all = {
    PERSON_NUMBER: personNumber(),
    PROFESSIONAL_NUMBER: professionalNumber(),
    NOTE_NUMBER: noteNumber(),
    DATE: '2026-03-04T08:30:00+01:00',
    ...values,
  };
  return JSON.parse(text.replace(/@([A-Z_]+)@/g, (place, key) => all[key] ?? place));
}
