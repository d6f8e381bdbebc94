'use strict';

/** A registry's token. Neither `util.inspect` nor `JSON.stringify` shows its password. */
class RegistryToken {
  #password;
  #text;

  constructor({ loginServer, username, expires, password, text }) {
    this.loginServer = loginServer;
    this.username = username;
    this.expires = expires === null ? null : new Date(expires);
    this.#password = password;
    this.#text = text;
    Object.freeze(this);
  }

  /** Nothing of the password. The sentence is core's. */
  toString() {
    return this.#text;
  }

  password() {
    return this.#password;
  }
}

module.exports = { RegistryToken };
