// A phone without attestation: enrols over HTTP and prints what it presents to gRPC. Arguments: API root, an operator's token, the
// authority gRPC is reached at. One proof is printed for each method named after that.
'use strict';
const crypto = require('crypto');

const [api, operator, authority, ...methods] = process.argv.slice(2);
const { publicKey, privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
const jwk = { kty, crv, x, y };
const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
let nonce = '';

function prove(method, url, token) {
  const claims = { jti: crypto.randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000), nonce };
  if (token) claims.ath = crypto.createHash('sha256').update(token).digest('base64url');
  const message = `${encode({ typ: 'dpop+jwt', alg: 'ES256', jwk })}.${encode(claims)}`;
  const signature = crypto.sign('sha256', Buffer.from(message), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${message}.${signature.toString('base64url')}`;
}

async function ask(path, code, body) {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const headers = { dpop: prove('POST', api + path), 'enrolment-code': code, 'content-type': 'application/json' };
    const response = await fetch(api + path, { method: 'POST', headers, body: body && JSON.stringify(body) });
    nonce = response.headers.get('dpop-nonce') || nonce;
    const answer = await response.json();
    if (response.ok) return answer;
    if (answer.code !== 'devices.use_dpop_nonce') throw new Error(`${path}: ${JSON.stringify(answer)}`);
  }
  throw new Error(`${path}: the nonce was asked for twice`);
}

async function main() {
  const made = await fetch(`${api}/devices/codes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'judge' }),
  });
  const { code } = await made.json();
  const challenge = await ask('/device/nonce', code);
  const enrolled = await ask('/device/enrol', code, { key: jwk, platform: 'none', nonce: challenge.nonce });
  const token = enrolled.tokens.access_token;
  console.log(token);
  for (const method of methods) console.log(prove('POST', `https://${authority}${method}`, token));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
