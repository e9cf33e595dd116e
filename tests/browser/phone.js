// A phone as the server knows it: a key, proofs with the server's nonce (RFC 9449), readings, answers to commands.
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { base } from "./steps.js";

const encode = (value) => Buffer.from(value).toString("base64url");

export class Phone {
  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.key = privateKey;
    const { kty, crv, x, y } = publicKey.export({ format: "jwk" });
    this.jwk = { kty, crv, x, y };
    this.nonce = "";
  }

  proof(method, path, token) {
    const header = { typ: "dpop+jwt", alg: "ES256", jwk: this.jwk };
    const claims = { jti: randomUUID(), htm: method, htu: base + path, iat: Math.floor(Date.now() / 1000), nonce: this.nonce };
    if (token) claims.ath = createHash("sha256").update(token).digest("base64url");
    const message = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`;
    return `${message}.${sign("sha256", Buffer.from(message), { key: this.key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }

  async ask(method, path, { code, token, body } = {}) {
    for (const again of [true, false]) {
      const headers = { dpop: this.proof(method, path, token), "content-type": "application/json" };
      if (code) headers["enrolment-code"] = code;
      if (token) headers.authorization = `DPoP ${token}`;
      const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
      this.nonce = response.headers.get("dpop-nonce") ?? this.nonce;
      const answer = await response.json().catch(() => null);
      if (!(again && answer?.code === "devices.use_dpop_nonce")) return { status: response.status, body: answer };
    }
  }

  async enrol(code) {
    const { body: { nonce } } = await this.ask("POST", "/api/v1/device/nonce", { code });
    const body = { key: this.jwk, platform: "none", nonce, model: "Pixel 9", os_version: "15", app_version: "2.1" };
    const enrolled = await this.ask("POST", "/api/v1/device/enrol", { code, body });
    if (enrolled.status !== 201) throw new Error(JSON.stringify(enrolled));
    this.id = enrolled.body.device.id;
    this.token = enrolled.body.tokens.access_token;
  }

  // Ten seconds in a hand.
  async measures() {
    const now = Date.now() * 1000;
    const series = (of) => Array.from({ length: 500 }, (_, index) => [now - (500 - index) * 20_000, ...of(index / 50 + Math.random() / 20)]);
    const body = {
      accelerometer: series((t) => [Math.sin(t) + Math.random() / 5, Math.cos(1.3 * t), 9.8 + Math.random() / 5]),
      gyroscope: series((t) => [Math.cos(t) / 5, Math.sin(1.3 * t) / 5, Math.random() / 20]),
    };
    return this.ask("POST", "/api/v1/device/signals", { token: this.token, body });
  }
}
