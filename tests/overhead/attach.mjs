// The Node side of the comparison: prints how long each attach took, in milliseconds, as JSON.

const { Client } = await import(process.env.AKS_ACR_NODE ?? 'aks-acr');
const env = process.env;
const credential = {
  getToken: async () => ({ token: env.OVERHEAD_TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const client = new Client({
  credential,
  subscriptionId: env.OVERHEAD_SUBSCRIPTION,
  cloud: { resourceManager: env.OVERHEAD_ORIGIN, registrySuffix: '.azurecr.io' },
  ca: env.OVERHEAD_CA,
});
const times = [];
for (let call = 0; call < Number(env.OVERHEAD_CALLS); call += 1) {
  const begun = performance.now();
  await client.attach('group/dev', env.OVERHEAD_REGISTRY);
  times.push(performance.now() - begun);
}
console.log(JSON.stringify(times));
