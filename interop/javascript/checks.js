// Counts what passed and what failed, and says so while it goes.

import assert from 'node:assert/strict';

export class Checks {
  passed = 0;
  failed = 0;

  /** Runs the body as one check: it fails when anything is thrown in it. A failed one does not stop the next. */
  async check(what, body) {
    try {
      await body();
      this.passed += 1;
      console.log(`ok      ${what}`);
    } catch (error) {
      this.failed += 1;
      const outcome = error.response ? ` ${JSON.stringify(error.response.data)}` : '';
      console.log(`FAILED  ${what}: ${`${error.message}${outcome}`.replace(/\s+/g, ' ').slice(0, 1500)}`);
    }
  }
}

/** Fails unless the call is refused by this status with an OperationOutcome that says something. */
export async function refused(status, call) {
  let error;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error?.response, `nothing was refused (${error?.message ?? 'no error'})`);
  assert.equal(error.response.status, status);
  assert.equal(error.response.data.resourceType, 'OperationOutcome');
  const [issue] = error.response.data.issue;
  assert.ok(issue.details?.text || issue.diagnostics, 'the refusal says nothing');
}
