// Lets a cluster pull from a private registry outside of Azure, by an image pull secret.
//
// `node external_registry.mjs` on the emulator; on Azure, with the password in `REGISTRY_PASSWORD`:
// `node external_registry.mjs --azure SUBSCRIPTION GROUP/CLUSTER IMAGE USER`.

import { DefaultAzureCredential } from '@azure/identity';
import { Client } from 'aks-acr';

/** @param {Client} client @param {string} cluster @param {string} name @param {string} image */
async function deploy(client, cluster, name, image) {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } };
  const spec = { selector: { matchLabels: labels }, template };
  await client.apply(cluster, JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec }));
  await client.waitForRollout(cluster, name);
}

/** @param {Client} client @param {string} cluster @param {string} image @param {string} username @param {string} password */
async function run(client, cluster, image, username, password) {
  await deploy(client, cluster, 'without', image).catch((err) => console.log(`without ${err.message}`));

  // The plan contains no password. It warns about what would not work, such as a registry that does not serve the image.
  const login = [{ registry: image.slice(0, image.indexOf('/')), username, password }];
  const plan = await client.planPullSecret(cluster, 'outside', login, { images: [image] });
  console.log(`plan\n${plan}`);
  console.log(`applied ${await client.applyPullSecret(plan, login)}`);

  // Kubernetes copies a service account's pull secrets into new pods only.
  await deploy(client, cluster, 'with', image);
  console.log('with    runs');
}

const [way, subscriptionId, cluster, image, user] = process.argv.slice(2);
if (way === '--azure' && user) {
  const client = new Client({ credential: new DefaultAzureCredential(), subscriptionId });
  await run(client, cluster, image, user, process.env.REGISTRY_PASSWORD ?? '');
} else if (way === undefined) {
  const { Emulator } = await import('aks-acr-emulator');
  const scene = {
    clusters: [{ group: 'group', name: 'dev' }],
    upstreams: [{ host: 'ghcr.io', users: [{ name: 'robot', password: 'word' }] }],
    images: [{ name: 'ghcr.io/team/app:v1', platforms: ['linux/amd64'] }],
  };
  const azure = await Emulator.start({ scene, clock: 20 });
  const { subscriptionId } = azure;
  const client = new Client({ credential: azure.credential(), subscriptionId, ...azure.clientOptions() });
  await run(client, 'group/dev', 'ghcr.io/team/app:v1', 'robot', 'word');
  await azure.stop();
} else {
  throw new Error('expected no arguments, or --azure SUBSCRIPTION GROUP/CLUSTER IMAGE USER');
}
