// Requests to an emulator with nothing but Node: by its origin, or by a host's own name through the proxy.
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';

/** A caller of an emulator, with their token. */
export class Wire {
  static async of(azure, caller) {
    const wire = new Wire();
    wire.azure = azure;
    wire.ca = azure.ca;
    wire.token = (await azure.credential(caller).getToken(`${azure.origin}/.default`)).token;
    return wire;
  }

  /** A request to Resource Manager at the origin. */
  arm(method, path, { body, version = '2025-11-01', ...more } = {}) {
    return this.send(`${this.azure.origin}${path}?api-version=${version}`, { method, body, token: this.token, ...more });
  }

  /** The status of a request that anyone with the role Reader may send. */
  async groups() {
    const path = `/subscriptions/${this.azure.subscriptionId}/resourcegroups`;
    return (await this.arm('GET', path, { version: '2022-09-01' })).status;
  }

  /** A request to any emulated host through the proxy. */
  async host(url, more = {}) {
    const { hostname } = new URL(url);
    const proxy = new URL(this.azure.proxy);
    const socket = await new Promise((resolve, reject) => {
      const request = http.request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: `${hostname}:443` });
      request.on('connect', (answer, socket) => {
        if (answer.statusCode === 200) return resolve(socket);
        socket.destroy();
        reject(new Error(`the proxy answers ${answer.statusCode}`));
      });
      request.on('error', reject).end();
    });
    const createConnection = () => tls.connect({ socket, servername: hostname, ca: this.ca, ...more.tls });
    return this.send(url, { ...more, createConnection });
  }

  /** A fault may leave a request without an answer: it is given up after 10 seconds. */
  send(url, { method = 'GET', body, token, signal = AbortSignal.timeout(10_000), ...more }) {
    const headers = { 'content-type': 'application/json', connection: 'close' };
    if (token) headers.authorization = `Bearer ${token}`;
    return new Promise((resolve, reject) => {
      const request = https.request(url, { method, headers, ca: this.ca, signal, ...more }, async (answer) => {
        let text = '';
        try {
          for await (const part of answer.setEncoding('utf8')) text += part;
        } catch (fault) {
          return reject(fault);
        }
        resolve({ status: answer.statusCode, body: text.startsWith('{') ? JSON.parse(text) : text });
      });
      request.on('error', reject).end(body && JSON.stringify(body));
    });
  }
}
