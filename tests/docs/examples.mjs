// The examples in JavaScript of the pages below `docs/`. The body of each function is on its page.

export async function identities(client) {
  const { kubelet } = await client.identities('my-group/my-cluster');
  console.log(kubelet ? kubelet.objectId : 'the cluster has no kubelet identity');
}

export async function attach(client) {
  try {
    const { outcome, warnings } = await client.attach('my-group/my-cluster', 'myregistry');
    console.log(outcome.kind);
    for (const warning of warnings) console.log(String(warning)); // what keeps pods from pulling although the role is assigned
  } catch (err) {
    if (err.code !== 'forbidden') throw err;
    console.error(err.message);
    if (err.smallestRole) console.error(`ask for ${err.smallestRole} at ${err.scope}`);
  }
}

export async function planAttach(client) {
  const plan = await client.planAttach('my-group/my-cluster', 'myregistry');
  console.log(String(plan)); // + AcrPull on myregistry for my-group/my-cluster (kubelet …), and the details
}

export async function applyAttach(client) {
  const plan = await client.planAttach('my-group/my-cluster', 'myregistry');
  // Review the plan first; it is valid for one hour.
  const { outcome, warnings } = await client.applyAttach(plan);
  console.log(outcome.kind);
  for (const warning of warnings) console.log(String(warning)); // what keeps pods from pulling although the role is assigned
}

export async function detach(client) {
  const { outcome, remaining } = await client.detach('my-group/my-cluster', 'myregistry');
  console.log(outcome);
  for (const grant of remaining) console.log('still has access:', grant.roleName, 'by', grant.assignmentId);
}

export async function planDetach(client) {
  console.log(String(await client.planDetach('my-group/my-cluster', 'myregistry')));
}

export async function applyDetach(client) {
  const plan = await client.planDetach('my-group/my-cluster', 'myregistry');
  // Review the plan first; it is valid for one hour.
  const { outcome } = await client.applyDetach(plan);
  console.log(outcome);
}

export async function grantAccess(client) {
  // The object ID of the pipeline's identity, not its client ID: az ad sp show --id CLIENT_ID --query id
  const pipeline = '0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50';
  console.log(String(await client.grantAccess('myregistry', pipeline, { role: 'push' }))); // AcrPush for 0c9f1a7e-… on myregistry: granted
}

export async function planGrantAccess(client) {
  console.log(String(await client.planGrantAccess('myregistry', '0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50')));
}

export async function applyGrantAccess(client) {
  const plan = await client.planGrantAccess('myregistry', '0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50');
  // Review the plan first; it is valid for one hour.
  console.log(String(await client.applyGrantAccess(plan)));
}

export async function revokeAccess(client) {
  // Also for an identity that was deleted: Azure keeps its role assignments.
  const revoked = await client.revokeAccess('myregistry', { principalId: '0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50' });
  for (const grant of revoked.remaining) console.log('still has access:', String(grant));
}

export async function planRevokeAccess(client) {
  const { grants } = await client.attachmentsOfRegistry('myregistry');
  for (const { assignmentId, reach } of grants) {
    if (reach.kind === 'direct') console.log(String(await client.planRevokeAccess('myregistry', { assignmentId })));
  }
}

export async function applyRevokeAccess(client) {
  const plan = await client.planRevokeAccess('myregistry', { principalId: '0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50' });
  // Review the plan first; it is valid for one hour.
  console.log(String(await client.applyRevokeAccess(plan)));
}

export async function attachmentsOfCluster(client) {
  const { grants } = await client.attachmentsOfCluster('my-group/my-cluster');
  for (const { registry, roleName } of grants) console.log(registry, 'by', roleName);
}

export async function attachmentsOfRegistry(client) {
  const { grants } = await client.attachmentsOfRegistry('myregistry');
  for (const { principalId, principalState, clusters } of grants) console.log(principalId, principalState, clusters);
}

export async function clusters(client) {
  const { clusters, unreadable } = await client.clusters({ tags: { env: 'prod' }, locations: ['westeurope'] });
  for (const { id, powerState } of clusters) console.log(id, powerState);
  for (const part of unreadable) console.error(`not read: ${part}`);
}

export async function registries(client) {
  const { registries, isComplete } = await client.registries({ tags: { team: null }, names: ['my*'] });
  for (const { loginServer, location } of registries) console.log(loginServer, 'in', location);
  console.log('everything was read:', isComplete);
}

export async function registry(client) {
  const found = await client.registry('myregistry');
  console.log(found ? `${found.loginServer} in ${found.location}` : 'registry not found');
}

export async function registryToken(client) {
  const token = await client.registryToken('myregistry');
  console.log(String(token)); // never the password
  const command = ['docker', 'login', token.loginServer, '--username', token.username, '--password-stdin'];
  console.log(...command); // execFileSync(command[0], command.slice(1), { input: token.password() })
}

export async function createRegistry(client) {
  const made = await client.createRegistry('my-group', 'anotherregistry', { sku: 'Standard' });
  console.log(made.isNew, made.registry.loginServer);
  for (const difference of made.differences) console.log(String(difference)); // an existing registry is not changed
}

export async function updateRegistry(client) {
  const updated = await client.updateRegistry('myregistry', { sku: 'Standard', tags: { team: 'web' } });
  for (const change of updated.changes) console.log(String(change)); // empty, and nothing was written, if nothing differed
}

export async function planKubeletIdentity(client) {
  const plan = await client.planKubeletIdentity('my-group', 'my-kubelet', { registries: ['myregistry'] });
  console.log(String(plan));
}

export async function applyKubeletIdentity(client) {
  const plan = await client.planKubeletIdentity('my-group', 'my-kubelet', { registries: ['myregistry'] });
  const { controlPlane, kubelet } = await client.applyKubeletIdentity(plan);
  await client.createCluster('my-group/another-cluster', {
    controlPlaneIdentity: controlPlane.id,
    kubeletIdentity: kubelet.id,
  });
}

export async function removeKubeletIdentity(client) {
  const plan = await client.planKubeletIdentity('my-group', 'my-kubelet');
  await client.applyKubeletIdentity(plan);
  const { removed } = await client.removeKubeletIdentity(plan);
  for (const { part, id } of removed) console.log(part, id);
}

export async function deleteCluster(client) {
  const { outcome } = await client.deleteCluster('my-group/my-cluster');
  console.log(outcome);
}

export async function planDeleteCluster(client) {
  const plan = await client.planDeleteCluster('my-group/my-cluster');
  console.log(`${plan}`);
  for (const one of plan.unread) console.log('not read:', one.part);
}

export async function applyDeleteCluster(client) {
  const plan = await client.planDeleteCluster('my-group/my-cluster');
  console.log(`${plan}`);
  const { outcome } = await client.applyDeleteCluster(plan);
  console.log(outcome);
}

export async function check(client) {
  const report = await client.check('my-group/my-cluster', 'myregistry', { image: 'app:1' });
  console.log(String(report));
  for (const finding of report.findings) console.log(finding.id, finding.nextStep.summary);
}

export async function explain(client) {
  const explanation = await client.explain('my-group/my-cluster', 'web');
  console.log(String(explanation));
  for (const group of explanation.groups) console.log(String(group)); // the pods, the cause, the evidence and the next step
}

export async function provePull(client) {
  const proof = await client.provePull('my-group/my-cluster', 'myregistry.azurecr.io/app:v1');
  console.log(String(proof));
  for (const { pool, outcome, reason } of proof.pools) {
    if (outcome === 'failed') console.log(pool, 'cannot pull:', reason);
  }
}

export async function endpoints(client) {
  const { hosts, noProxy } = await client.endpoints('myregistry', { cluster: 'my-group/my-cluster' });
  for (const { host, port, purpose } of hosts) console.log('allow', host, 'on port', port, 'for', purpose);
  console.log('noProxy:', noProxy.join(','));
}

export async function nodeIdentities(client) {
  const identities = await client.nodeIdentities('my-group/my-cluster');
  console.log(String(identities));
  for (const { pool, outdatedNodes } of identities.pools) {
    if (outdatedNodes.length > 0) console.log('upgrade the node image of', pool);
  }
}

export async function deleteRegistry(client) {
  const { outcome } = await client.deleteRegistry('myregistry');
  console.log(outcome);
}

export async function planDeleteRegistry(client) {
  const plan = await client.planDeleteRegistry('myregistry');
  console.log(String(plan)); // what would be lost, and who pulls from it
  for (const { part, missingAction } of plan.unread) console.log('not known:', part, missingAction);
}

export async function applyDeleteRegistry(client) {
  const plan = await client.planDeleteRegistry('myregistry');
  // Review the plan first; it is valid for one hour.
  const { outcome } = await client.applyDeleteRegistry(plan);
  console.log(outcome);
}

export async function createCluster(client) {
  const made = await client.createCluster('my-group/another-cluster', {
    registries: ['myregistry'],
    nodeCount: 2,
    onProgress: (event) => console.log(String(event)),
  });
  console.log(made.isNew, made.cluster.state);
}

export async function importImage(client) {
  const { target, proof } = await client.importImage('myregistry', 'nginx', { target: 'nginx:v1' });
  console.log(target, proof.kind);
}

export async function importImages(client) {
  const images = ['nginx', { source: 'nginx', target: 'web/nginx:stable' }];
  for (const { import: done, error } of await client.importImages('myregistry', images)) {
    console.log(done ? done.target : error.message); // a failure does not stop the others
  }
}

export async function startImport(client) {
  const started = await client.startImport('myregistry', 'nginx', { target: 'nginx:v2' });
  console.log(started.kind === 'started' ? 'started; store the handle, it is a secret' : 'already exists');
}

export async function pollImport(client) {
  const started = await client.startImport('myregistry', 'nginx', { target: 'nginx:v3' });
  if (started.kind === 'started') {
    const { kind } = await client.pollImport(started.handle);
    console.log(kind); // 'running' or 'succeeded'
  }
}

export async function kubeconfig(client) {
  const { context, server } = await client.kubeconfig('my-group/my-cluster', { access: 'user' });
  console.log(context, 'at', server); // text is a secret
}

export async function mergeKubeconfig(client, file) {
  const merged = await client.mergeKubeconfig('my-group/my-cluster', { file }); // without it: kubectl's default file
  console.log(merged.context, 'in', merged.file, merged.outcome);
}

export async function apply(client, manifests) {
  const applied = await client.apply('my-group/my-cluster', manifests, { registry: 'myregistry' });
  for (const object of applied) console.log(String(object));
}

export async function waitForRollout(client) {
  try {
    const { ready, wanted } = await client.waitForRollout('my-group/my-cluster', 'web');
    console.log(`${ready}/${wanted} ready`);
  } catch (err) {
    if (err.code !== 'pull_failed') throw err;
    console.error(err.message); // the finding and the next step; err.pullFailure has the details
  }
}

export async function planPullSecret(client) {
  const credentials = [{ registry: 'ghcr.io', username: 'robot', password: 'the password' }];
  const plan = await client.planPullSecret('my-group/my-cluster', 'ghcr', credentials, { images: ['ghcr.io/team/app:1'] });
  console.log(String(plan)); // + pull secret ghcr in namespace default of my-cluster, and the details
}

export async function applyPullSecret(client) {
  const credentials = [{ registry: 'ghcr.io', username: 'robot', password: 'the password' }];
  const plan = await client.planPullSecret('my-group/my-cluster', 'ghcr', credentials);
  // Review the plan first; it is valid for one hour, and contains no password.
  console.log(String(await client.applyPullSecret(plan, credentials)));
}

export async function planModeChange(client) {
  const plan = await client.planModeChange('myregistry', 'AbacRepositoryPermissions');
  console.log(String(plan)); // + Container Registry Repository Reader for …, and all that changes
  for (const change of plan.lost) console.log('would lose', String(change));
}

export async function applyModeChange(client) {
  const plan = await client.planModeChange('myregistry', 'AbacRepositoryPermissions');
  // Review the plan first, and keep it: it is valid for one hour, and undoes the change at any time.
  const change = await client.applyModeChange(plan);
  console.log(String(change));
  await client.applyModeChange(plan, { reverse: true });
}

export async function checkPrincipal(client) {
  const principalId = '11111111-1111-1111-1111-111111111111'; // the object ID, not the client ID
  console.log(String(await client.check('my-group/my-cluster', 'myregistry', { image: 'app:1', principalId })));
  // Or queryGraph: true instead of principalId: the object ID is read from Microsoft Graph.
}

export async function checkAddresses(client) {
  const outboundAddresses = ['203.0.113.7'];
  console.log(String(await client.check('my-group/my-cluster', 'myregistry', { image: 'app:1', outboundAddresses })));
}

export async function storedReport(client, { Report }) {
  const stored = JSON.stringify(await client.check('my-group/my-cluster', 'myregistry'));

  // Later, in another process, perhaps with a newer version of the library:
  const report = Report.fromJSON(JSON.parse(stored));
  console.log(String(report.redacted())); // without your names, IDs, hosts and addresses
  report.replayed().require(); // throws unless the cluster can pull
}

export async function pods(client) {
  console.log(String(await client.pods('my-group/my-cluster', { labels: 'app=web' })));
}
