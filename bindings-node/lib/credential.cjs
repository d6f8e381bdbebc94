'use strict';

const { AksAcrError } = require('./error.cjs');

/** `getToken` of a credential as the native half calls it: always a promise, and always of a token. None if there is none. */
function getter(credential) {
  if (credential === undefined) return undefined;
  if (typeof credential?.getToken !== 'function') {
    throw AksAcrError.invalidInput('credential: wanted an object with getToken, such as those of @azure/identity');
  }
  return async (scopes) => {
    const { token, expiresOnTimestamp } = (await credential.getToken(scopes, {})) ?? {};
    if (typeof token !== 'string' || typeof expiresOnTimestamp !== 'number') {
      throw new TypeError('getToken of the credential gave no { token, expiresOnTimestamp }');
    }
    return { token, expiresOnTimestamp };
  };
}

module.exports = { getter };
