'use strict';

const native = require('../native.cjs');
const { failure } = require('./call.cjs');
const { AksAcrError } = require('./error.cjs');
const { OPERATIONS } = require('./surface.cjs');
const { snakeCase, view } = require('./view.cjs');

function requiredRights(operations) {
  const words = Array.isArray(operations) ? operations.map(word) : operations;
  return view(told(() => native.requiredRights(words)), 'RequiredRight');
}

const customRoleJson = (...given) => told(() => native.customRoleJson(...given));

/** The operation as core names it. */
function word(name) {
  if (Object.hasOwn(OPERATIONS, name)) return snakeCase(name);
  throw AksAcrError.invalidInput(`operations: unknown operation ${String(name)}; known are ${Object.keys(OPERATIONS).join(', ')}`);
}

function told(work) {
  try {
    return work();
  } catch (refusal) {
    throw failure(refusal);
  }
}

module.exports = { customRoleJson, requiredRights };
