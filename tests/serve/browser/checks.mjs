// Checks: each by itself, a line of output for each.

export function makeChecks() {
  let failed = 0;
  let passed = 0;
  return {
    // What `body` returns is printed too.
    async check(name, body) {
      try {
        const note = await body();
        passed++;
        console.log(`ok: ${name}${note ? ` (${note})` : ''}`);
      } catch (error) {
        failed++;
        console.log(`FAILED: ${name}: ${error.message.replace(/\nCall log:.*/s, '')}`);
      }
    },
    skip(name, why) {
      console.log(`skipped: ${name}: ${why}`);
    },
    finish() {
      console.log(`${passed} passed, ${failed} failed`);
      process.exitCode = failed ? 1 : 0;
    },
  };
}

export function expect(found, wanted, about = '') {
  if (found !== wanted) throw new Error(`${about ? `${about}: ` : ''}found ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

export async function until(what, holds, ms = 10_000) {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`in ${ms / 1000} s this did not come: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
