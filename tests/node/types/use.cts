// The same package, from a CommonJS module.

import aksAcr = require('aks-acr');

const client = new aksAcr.Client({ credential: { getToken: async () => null }, subscriptionId: '' });
export const outcome: Promise<aksAcr.Attachment> = client.attach('g/c', 'r');
outcome.catch((err: unknown) => err instanceof aksAcr.AksAcrError && err.code === 'forbidden');
