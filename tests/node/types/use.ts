// What a program in TypeScript may say, and what it may not.

import { ClientSecretCredential, DefaultAzureCredential } from '@azure/identity';
import { AksAcrError, AttachPlan, Client, ImportHandle, Kubeconfig, VERSION, customRoleJson, requiredRights } from 'aks-acr';
import type {
  AttachOptions,
  AttachOutcome,
  ErrorKind,
  Event,
  Import,
  Pods,
  PullFinding,
  Run,
  StoredPlan,
  Write,
} from 'aks-acr';

const subscriptionId = '00000000-0000-0000-0000-000000000000';
const client: Client = new Client({ credential: new DefaultAzureCredential(), subscriptionId });
new Client({ credential: new ClientSecretCredential('t', 'c', 's'), subscriptionId, cloud: 'us_government' });
new Client({
  credential: { getToken: async () => ({ token: '', expiresOnTimestamp: 0 }) },
  subscriptionId,
  cloud: { resourceManager: 'https://localhost:1', registrySuffix: '.azurecr.io' },
  proxy: 'http://proxy.example:3128',
  ca: '-----BEGIN CERTIFICATE-----',
});
// @ts-expect-error a subscription is needed
new Client({ credential: new DefaultAzureCredential() });
// @ts-expect-error there is no such cloud
new Client({ credential: new DefaultAzureCredential(), subscriptionId, cloud: 'moon' });
new Client({
  subscriptionId,
  cloud: { resourceManager: 'https://a', registrySuffix: '.b.c', authority: 'https://d' },
  readOnly: true,
  onWrite: (write: Write) => console.log(write.action, String(write)),
});
new Client({ subscriptionId, onWrite: (write) => write.action !== null });
// @ts-expect-error what a promise comes to would be too late
new Client({ subscriptionId, onWrite: async () => true });
// @ts-expect-error a text is no credential
new Client({ credential: 'secret', subscriptionId });

export async function use(signal: AbortSignal): Promise<string> {
  const options: AttachOptions = {
    onInheritedGrant: 'grant_directly',
    onConditionMismatch: 'keep',
    retryForbiddenForMs: 5,
    deadlineMs: 5,
    signal,
  };
  // @ts-expect-error the unit is in the name
  await client.attach('g/c', 'r', { deadline: 5 });
  // @ts-expect-error there is no such word
  await client.attach('g/c', 'r', { onInheritedGrant: 'yes' });
  // @ts-expect-error nothing is positional but what is needed
  await client.createRegistry('g', 'r', 'Basic');
  const plan: AttachPlan = await client.planAttach('g/c', 'r', options);
  const stored = JSON.parse(JSON.stringify(plan)) as StoredPlan;
  await client.applyAttach(AttachPlan.fromJSON(stored));
  const { outcome, condition } = await client.applyAttach(plan, { onProgress: (event) => console.log(String(event)) });
  const narrowed: string | null = condition;
  // @ts-expect-error results cannot be changed
  plan.version = 2;
  // @ts-expect-error only an inherited outcome has a place that it comes from
  outcome.from;
  const pods: Pods = await client.pods('g/c', { labels: 'app=web' });
  const created: Date | null | undefined = pods.pods[0]?.created;
  const kubeconfig: Kubeconfig = await client.kubeconfig('g/c', { access: 'admin' });
  // @ts-expect-error only the client makes one
  new Kubeconfig();
  return [VERSION, narrowed, created, kubeconfig.text(), tell(outcome), String(pods)].join();
}

function tell(outcome: AttachOutcome): string | null {
  switch (outcome.kind) {
    case 'granted':
    case 'already_granted':
      return outcome.kind;
    case 'inherited':
      return outcome.from;
    case 'through_group':
      return outcome.group;
    case 'condition_differs':
      return outcome.existing;
  }
}

export async function more(): Promise<string | null> {
  const made = await client.createCluster('g/c', { registries: ['r'], nodeCount: 1, tier: 'Standard', sshKeyFile: 'f' });
  const kinds: AttachOutcome['kind'][] = made.attachments.map(({ outcome }) => outcome.kind);
  for (const { import: done, error } of await client.importImages('r', ['a', { source: 'b', additionalTags: ['c:1'] }])) {
    console.log(done ? done.additionalTags : error.failedSide, kinds);
  }
  // @ts-expect-error who hears of an image is who hears of the list
  await client.importImages('r', [{ source: 'b', onProgress() {} }]);
  const started = await client.startImport('r', 'a', { username: 'u', password: 'p' });
  // @ts-expect-error there may be no handle
  started.handle;
  if (started.kind === 'started') {
    const status = await client.pollImport(new ImportHandle(JSON.parse(JSON.stringify(started.handle))));
    if (status.kind === 'running') console.log(status.tags['a:1']);
    await client.pollImport(started);
  }
  // @ts-expect-error there may be nothing to look at
  await client.pollImport(started);
  const plan = await client.planDetach('g/c', 'r', { onlyCreatedByAksAcr: true });
  const { remaining } = await client.applyDetach(JSON.parse(JSON.stringify(plan)) as StoredPlan);
  // @ts-expect-error an operation that there is not
  requiredRights(['plan_attach']);
  console.log(customRoleJson('n', requiredRights(['attach', 'importImages']), ['/subscriptions/s']));
  return remaining[0]?.reach.kind === 'inherited' ? remaining[0].reach.from : null;
}

export async function follow(): Promise<Import> {
  const run: Run<Import> = client.follow.importImage('r', 'nginx', { target: 'nginx:v1', onExistingTag: 'replace' });
  for await (const event of run) {
    const said: Event = event;
    if (event.kind === 'importing_tag') console.log(event.tag, event.status);
    else if (event.kind === 'retrying') console.log(event.waitMs, String(said));
  }
  return run.result;
}

export function judge(err: unknown): ErrorKind | PullFinding['id'] | undefined {
  if (!(err instanceof AksAcrError)) return undefined;
  const { status, serviceCode, requestId, correlationId, missingAction, scope, smallestRole, retryAfterMs, cause } =
    err;
  console.log(status, serviceCode, requestId, correlationId, missingAction, scope, smallestRole, retryAfterMs, cause);
  if (err.pullFailure?.finding.id === 'network.outbound_ip_not_allowed') console.log(err.pullFailure.finding.address);
  if (err.pullFailure?.finding.retry === 'after_grant') console.log(err.pullFailure.finding.nextStep.arguments['registry']);
  // @ts-expect-error a kind that there is not
  if (err.code === 'gone') return undefined;
  return err.pullFailure?.finding.id ?? err.code;
}
