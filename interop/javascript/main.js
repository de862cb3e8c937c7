// Runs the JavaScript client against a server: `node main.js http://HOST:PORT`.

import { Checks } from './checks.js';
import { live } from './life.js';

const [server] = process.argv.slice(2);
if (!server) {
  console.error('usage: node main.js http://HOST:PORT');
  process.exit(2);
}
const checks = new Checks();
for (const release of ['r4', 'stu3']) await live(checks, server.replace(/\/+$/, ''), release);
console.log(`javascript: ${checks.passed} passed, ${checks.failed} failed`);
process.exit(checks.failed ? 1 : 0);
