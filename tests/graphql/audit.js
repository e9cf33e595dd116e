// The audits of the GraphQL over HTTP specification against a running endpoint; one line per audit, and a count.
import { auditServer } from 'graphql-http';

const [url, token] = process.argv.slice(2);
const results = await auditServer({
  url,
  fetchFn: (input, init = {}) => fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }),
});
let failed = 0;
for (const { id, name, status, reason } of results) {
  if (status === 'ok') continue;
  failed += 1;
  console.log(`${status}: ${id} ${name}: ${reason ?? ''}`);
}
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
