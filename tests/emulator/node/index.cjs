'use strict';

const { Native, VERSION } = require('./native.cjs');

/** Something that the emulator refuses: `code` says of which kind it is. */
class EmulatorError extends Error {
  constructor(message, code) {
    super(message);
    this.name = 'EmulatorError';
    this.code = code;
  }
}

/** The result of the native half: a value, or a fault. */
function heard(text) {
  const { value, fault } = JSON.parse(text);
  if (fault) throw new EmulatorError(fault.message, fault.code);
  return value;
}

/** Checks options: an unknown name is rejected, which JavaScript would silently ignore. */
function known(given, name, ...names) {
  const options = given ?? {};
  const wanted = `${name}: must be an object with ${names.join(', ')}`;
  if (typeof options !== 'object' || Array.isArray(options)) throw new EmulatorError(wanted, 'Invalid');
  const other = Object.keys(options).find((key) => !names.includes(key));
  if (other !== undefined) throw new EmulatorError(`${wanted}; not ${other}`, 'Invalid');
  return options;
}

/** A caller's credential. Every token is asked for anew, so that it shows in the log. */
class Credential {
  #native;
  #caller;

  constructor(native, caller) {
    this.#native = native;
    this.#caller = caller;
  }

  async getToken(scopes, options) {
    options?.abortSignal?.throwIfAborted?.();
    const wanted = [scopes].flat();
    if (wanted.length === 0) throw new EmulatorError('a token needs at least one scope', 'Invalid');
    return heard(await this.#native.token(this.#caller, wanted));
  }
}

// A caller that keeps only an address may use it until the process ends, which leaves no file behind.
const running = new Map();

function abandon() {
  for (const native of running.values()) native.abandon();
}

class Emulator {
  #native;
  #stopped;

  constructor(secret, native) {
    if (secret !== running) throw new TypeError('use Emulator.start()');
    this.#native = native;
    const facts = JSON.parse(native.facts());
    Object.freeze(facts.environment);
    for (const [name, value] of Object.entries(facts)) {
      // Secrets are hidden when the object is printed.
      const enumerable = !['ca', 'clientSecret', 'environment'].includes(name);
      Object.defineProperty(this, name, { value, enumerable });
    }
    if (running.size === 0) process.on('exit', abandon);
    running.set(this, native);
  }

  static async start(options = {}) {
    const native = await Native.start(JSON.stringify(options));
    if (typeof native === 'string') return heard(native);
    return new Emulator(running, native);
  }

  async stop() {
    running.delete(this);
    if (running.size === 0) process.off('exit', abandon);
    this.#stopped ??= this.#native.stop();
    await this.#stopped;
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.stop();
  }

  clientOf(caller) {
    return heard(this.#native.clientOf(caller));
  }

  credential(caller = 'owner') {
    this.clientOf(caller);
    return new Credential(this.#native, caller);
  }

  clientOptions() {
    return {
      cloud: { resourceManager: this.origin, registrySuffix: '.azurecr.io', graph: 'https://graph.microsoft.com' },
      proxy: this.proxy,
      ca: this.ca,
    };
  }

  armOptions() {
    return {
      endpoint: this.origin,
      credentials: { scopes: [`${this.origin}/.default`] },
      tlsOptions: { ca: this.ca },
    };
  }

  identityOptions() {
    // Instance discovery would send a request about an authority that is unknown to Azure.
    return { authorityHost: this.origin, disableInstanceDiscovery: true, tlsOptions: { ca: this.ca } };
  }

  mark() {
    return this.#look('mark').mark;
  }

  requests(options) {
    const { since = 0 } = known(options, 'requests', 'since');
    return this.#look('requests', since).map(({ from, ...request }) => ({ ...request, sender: from }));
  }

  summary(options) {
    const { since = 0 } = known(options, 'summary', 'since');
    return this.#look('summary', since);
  }

  state() {
    return this.#look('state');
  }

  registryId(group, name) {
    return this.#native.registryId(group, name);
  }

  clusterId(group, name) {
    return this.#native.clusterId(group, name);
  }

  kubeletObjectId(group, cluster) {
    return existing(this.#native.kubeletObjectId(group, cluster), `no kubelet identity of ${group}/${cluster}`);
  }

  objectId(caller) {
    return existing(this.#native.objectId(caller), `no caller named ${caller}`);
  }

  digest(image) {
    return this.#native.digest(image) ?? undefined;
  }

  fault(part, options = {}) {
    this.#order('fault', { ...options, part });
  }

  storm(share, options) {
    const { seed = 0 } = known(options, 'storm', 'seed');
    this.#order('storm', { share, seed });
  }

  throttle(asAzure = true) {
    this.#order('throttle', { asAzure });
  }

  timing(preset, times = {}) {
    const order = typeof preset === 'object' ? preset : { ...times, preset };
    this.#order('timing', order);
  }

  advance(seconds) {
    this.#order('advance', { seconds });
  }

  clock(times) {
    this.#order('clock', { speed: times });
  }

  paging(options) {
    this.#order('paging', options);
  }

  grant(role, scope, options) {
    return this.#order('grant', { ...options, role, scope }).name;
  }

  revoke(name) {
    this.#order('revoke', { name });
  }

  addMember(group, member) {
    return this.#order('add-member', { group, member }).group;
  }

  removeMember(group, member) {
    this.#order('remove-member', { group, member });
  }

  policy(name, resourceType, scope) {
    this.#order('policy', { name, resourceType, scope });
  }

  capacity(region, options) {
    const { cores = {}, withoutSizes = [], zones = true, full = false } = known(options, 'capacity', 'cores', 'withoutSizes', 'zones', 'full');
    this.#order('capacity', { region, cores, withoutSizes, zones, full });
  }

  subnet(group, network, name, prefix) {
    this.#order('subnet', { group, network, name, prefix });
  }

  denyAssignment(name, actions, scope, options) {
    const { butFor = [] } = known(options, 'denyAssignment', 'butFor');
    this.#order('deny-assignment', { name, actions, scope, butFor });
  }

  signIn(caller, options) {
    const { blocked } = known(options, 'signIn', 'blocked');
    this.#order('sign-in', { caller, blocked });
  }

  federate(issuer, subject, options) {
    const { caller = 'owner' } = known(options, 'federate', 'caller');
    this.#order('federate', { caller, issuer, subject });
  }

  federatedToken(issuer, subject, options) {
    const { seconds } = known(options, 'federatedToken', 'seconds');
    return this.#order('federated-token', { issuer, subject, seconds }).token;
  }

  pushImage(name, options) {
    // A list is meant for the platforms, as Python has them.
    const { platforms } = Array.isArray(options) ? { platforms: options } : known(options, 'pushImage', 'platforms');
    return this.#order('image', { name, platforms }).digest;
  }

  deleteImage(name) {
    this.#order('delete-image', { name });
  }

  node(group, cluster, name, options = {}) {
    this.#order('node', { ...options, group, cluster, name });
  }

  egress(group, cluster, host, options) {
    const { allowed } = known(options, 'egress', 'allowed');
    this.#order('egress', { group, cluster, host, allowed });
  }

  inspection(group, cluster, host, options) {
    const { inspected } = known(options, 'inspection', 'inspected');
    this.#order('inspection', { group, cluster, host, inspected });
  }

  loseContent(group, cluster, node, image) {
    this.#order('lose-content', { group, cluster, node, image });
  }

  key(group, registry, options) {
    const { accessible } = known(options, 'key', 'accessible');
    this.#order('key', { group, registry, accessible });
  }

  load(group, registry, principal, options) {
    const { readsPerMinute, seconds } = known(options, 'load', 'readsPerMinute', 'seconds');
    this.#order('load', { group, registry, principal, readsPerMinute, seconds });
  }

  disk(group, cluster, pool, bytes) {
    this.#order('disk', { group, cluster, pool, bytes });
  }

  #look(name, since = 0) {
    return heard(this.#native.look(name, since));
  }

  #order(name, order) {
    return heard(this.#native.order(name, JSON.stringify(order)));
  }
}

function existing(id, what) {
  if (!id) throw new EmulatorError(`there is ${what}`, 'Missing');
  return id;
}

module.exports = { Emulator, EmulatorError, version: VERSION };
