'use strict';

const { Client } = require('./lib/client.cjs');
const { AksAcrError } = require('./lib/error.cjs');
const { ImportHandle } = require('./lib/handle.cjs');
const { Kubeconfig } = require('./lib/kubeconfig.cjs');
const { RegistryToken } = require('./lib/registry.cjs');
const { customRoleJson, requiredRights } = require('./lib/rights.cjs');
const { readers } = require('./lib/view.cjs');
const { VERSION } = require('./native.cjs');

module.exports = { AksAcrError, Client, ImportHandle, Kubeconfig, RegistryToken, VERSION, customRoleJson, requiredRights, ...readers };
