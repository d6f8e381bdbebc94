'use strict';

const { Client } = require('./lib/client.cjs');
const { AksAcrError } = require('./lib/error.cjs');
const { Kubeconfig } = require('./lib/kubeconfig.cjs');
const { VERSION } = require('./native.cjs');

module.exports = { AksAcrError, Client, Kubeconfig, VERSION };
