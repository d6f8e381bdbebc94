/**
 * Joins Azure Container Registry (ACR) to Azure Kubernetes Service (AKS).
 *
 * Every operation can be run twice: the second time it changes nothing and succeeds. The one exception is an import with a password
 * of a source that is named by its tag, which cannot be compared: see `onExistingTag`. Every result is a frozen object.
 * Times are `Date`, lengths of time are milliseconds in fields that end in `Ms`, and what is not known is `null`.
 *
 * @packageDocumentation
 */

/** The version of this package. */
export declare const VERSION: string;

// ---------------------------------------------------------------------------------------------------------------- the client

/**
 * What a caller proves who they are with: any credential of `@azure/identity`, or an object with its `getToken`.
 * Tokens are kept until shortly before they end, and calls at the same time share one request.
 */
export interface TokenCredential {
  /**
   * `abortSignal` is aborted when no call waits for the token any more: all are cancelled, or past their deadlines. So a sign-in of which
   * nobody wants to know does not stay open.
   *
   * An error that it throws is the `cause` of the call's error. A lost connection, a timeout, HTTP 408 or 5xx is `'unavailable'`, and HTTP
   * 429 is `'rate_limited'` with the `retryAfterMs` of the response; both are transient. Any other, such as a refusal by Entra, is
   * `'unauthenticated'`, with the `refusal` `'conditional_access'` where that caused it.
   */
  getToken(scopes: string[], options?: { abortSignal?: AbortSignal }): Promise<AccessToken | null>;
}

/** A token, and when it ends: in milliseconds since 1970. What is no such time is refused, with `'unauthenticated'`. */
export interface AccessToken {
  token: string;
  expiresOnTimestamp: number;
}

/** One of Azure's clouds. */
export type CloudName = 'public' | 'china' | 'us_government' | 'bleu';

/** Another cloud, or an emulator of one. */
export interface CustomCloud {
  /** Address of its Resource Manager, such as `https://localhost:8443`. Tokens are asked for it. */
  resourceManager: string;
  /** The ending of its login servers, such as `.azurecr.io`. */
  registrySuffix: string;
  /**
   * Where tokens come from, such as `https://login.example`; only the default chain of credentials asks for it. By default
   * `AZURE_AUTHORITY_HOST`, or else the Resource Manager's own address.
   */
  authority?: string;
  /** Where Microsoft Graph is, such as `https://graph.microsoft.com`, for `queryGraph`; by default it is not known. */
  graph?: string;
}

/** What a client is made of. */
export interface ClientSettings {
  /**
   * As whom. Left out, as the caller whom the environment names, the first that is configured, found at the first request: a service
   * principal in `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` or `AZURE_CLIENT_CERTIFICATE_PATH`; GitHub Actions;
   * workload identity; Azure Pipelines; the machine's managed identity; who is signed in to az, then azd. What is configured and fails is
   * an error and not passed over. `AZURE_TOKEN_CREDENTIALS` narrows the list, as in Azure's SDKs: `prod` (all but the last two), `dev` (those)
   * or one of `EnvironmentCredential`, `GitHubActionsCredential`, `WorkloadIdentityCredential`, `AzurePipelinesCredential`,
   * `ManagedIdentityCredential`, `AzureCliCredential`, `AzureDeveloperCliCredential`. GitHub and Pipelines are asked for a new assertion
   * whenever a new token is needed. No package of Azure's is needed for it.
   *
   * The default chain uses `cloud`, `proxy` and `ca`; a credential that is given sends its requests in its own way.
   */
  credential?: TokenCredential;
  /** The subscription in which names are looked up. */
  subscriptionId: string;
  /** The cloud. `'public'` by default. */
  cloud?: CloudName | CustomCloud;
  /**
   * Address of a proxy, such as `http://proxy.example:3128`. By default the environment's `HTTPS_PROXY`, or else its `ALL_PROXY`; with
   * either, what `NO_PROXY` names and this machine itself are reached directly.
   */
  proxy?: string;
  /** Certificates, as PEM text, that are trusted besides those of the system. `NODE_EXTRA_CA_CERTS` is not read. */
  ca?: string;
  /**
   * Whether the client changes nothing: a request that would is not sent, and its call is rejected with `'forbidden'` and the refusal
   * `'read_only_client'`. What only reads works: plans, looks, a kubeconfig, an apply as a dry run, and attach where the grant is there.
   * It is about Azure and Kubernetes: a kubeconfig may be had, an administrator's too, and merged into a file, and a missing pair of SSH
   * keys is made before the cluster is refused.
   */
  readOnly?: boolean;
  /**
   * Sees each write before it is sent, and may say no, by throwing or with `false`: then it is not sent, and the call is rejected with
   * `'forbidden'`, the refusal `'write_hook'` and, where it threw, the error's message. Whatever else it gives is a yes, but for a promise:
   * it must answer at once. What is tried again since no good answer came is shown once.
   *
   * @example
   * ```js
   * const onWrite = (write) => {
   *   console.log(String(write));
   *   if (write.action !== 'Microsoft.Authorization/roleAssignments/write') throw new Error('only grants');
   * };
   * ```
   */
  onWrite?: (write: Write) => void | boolean;
}

/** A request that changes something, before it is sent. `String(write)` is a line for people. */
export interface Write {
  /** Who would be asked. */
  readonly service: 'azure' | 'kubernetes';
  /** The method of HTTP, such as `PUT`. */
  readonly method: string;
  /** The resource id, or the cluster's resource id and the path in its API. Never a query, which may be signed. */
  readonly target: string;
  /** The action that Azure checks. `null` for Kubernetes. */
  readonly action: string | null;
  /** What it is for, in words. */
  readonly step: string;
  /**
   * What would be sent, without what may be secret: to Azure the body with such values replaced, to Kubernetes the object's kind, name
   * and namespace.
   */
  readonly body: unknown;
  toString(): string;
}

/** What every call can be told. In these and all other options `null` is as good as nothing. */
export interface CallOptions {
  /**
   * How long the whole call may take, in milliseconds. Each operation states its own default. With 0 it has passed at once, and no request
   * is sent; `Infinity` is no deadline; a negative number is `'invalid_input'`. It is per call: a plan and its application have two.
   */
  deadlineMs?: number;
  /**
   * Cancels the call: it is rejected with `code: 'cancelled'`, `name: 'AbortError'`, and the signal's reason as `cause`. What Azure has begun
   * goes on.
   * A signal that is aborted already lets no request out.
   */
  signal?: AbortSignal;
  /**
   * Hears of the steps, all of them before the promise settles. What it throws is an uncaught exception, as in any event listener;
   * the work goes on.
   */
  onProgress?: (event: Event) => void;
}

/**
 * Joins registries and clusters of one subscription, as one caller. It holds nothing that keeps Node from exiting, and there is nothing to
 * close: no `close()`, no `await using`.
 *
 * Every promise is rejected with an {@link AksAcrError}, whose `code` is one of {@link ErrorKind}. Besides those that an operation
 * names, each can be `'unauthenticated'`, `'rate_limited'`, `'deadline_exceeded'`, `'cancelled'`, `'unavailable'` or
 * `'unexpected'`, and `'invalid_input'` for an argument of the wrong form or an option that there is not.
 *
 * @example
 * ```js
 * import { DefaultAzureCredential } from '@azure/identity';
 * import { Client } from 'aks-acr';
 *
 * const client = new Client({ credential: new DefaultAzureCredential(), subscriptionId });
 * const attachment = await client.attach('my-group/my-cluster', 'myregistry');
 * console.log(attachment.outcome.kind); // 'granted', and the second time 'already_granted'
 * ```
 */
export declare class Client {
  /** @throws {AksAcrError} `'invalid_input'` for settings that cannot be. No request is made. */
  constructor(settings: ClientSettings);

  /**
   * Every operation again, as a {@link Run} whose events can be iterated.
   *
   * @example
   * ```js
   * const run = client.follow.waitForRollout('my-group/my-cluster', 'web');
   * for await (const event of run) console.log(String(event));
   * const { ready, wanted } = await run.result;
   * ```
   */
  readonly follow: Follow;
}

/** The client's operations. */
export interface Client extends Operations {}

/**
 * The operations.
 *
 * A `cluster` is `'group/name'` or a resource id; a `registry` is a name, a login server or a resource id.
 */
export interface Operations {
  /**
   * Finds a cluster's identities, the one that pulls images among them.
   *
   * Deadline: 2 minutes by default. Errors: `'not_found'`, `'forbidden'`.
   */
  identities(cluster: string, options?: CallOptions): Promise<ClusterIdentities>;

  /**
   * Makes a cluster's nodes able to pull from a registry: at most one role assignment is written, none where it is there already,
   * and never the cluster. Where an Entra group has a role that gives pull, one more request tells whether the identity is a member: then nothing
   * is written, unless `onInheritedGrant` asks for a direct grant.
   *
   * Deadline: 5 minutes by default. Errors: `'not_found'` if the cluster, its kubelet identity or the registry does not exist;
   * `'forbidden'` if the caller may not read them or not write the grant, with `missingAction`, `scope` and `smallestRole`;
   * `'invalid_input'` for a condition that would have no effect; `'unsupported'` for a cluster with a service principal whose
   * object id is not given.
   *
   * @example
   * ```js
   * try {
   *   await client.attach('my-group/my-cluster', 'myregistry');
   * } catch (err) {
   *   if (err.code !== 'forbidden') throw err;
   *   console.error(`ask for the role ${err.smallestRole} at ${err.scope}`);
   * }
   * ```
   */
  attach(cluster: string, registry: string, options?: AttachOptions): Promise<Attachment>;

  /**
   * Says what {@link attach} would do, and writes nothing. It needs read rights only.
   *
   * Deadline: 5 minutes by default. Errors: those of `attach`, but for a refusal to write.
   *
   * @example
   * ```js
   * const plan = await client.planAttach('my-group/my-cluster', 'myregistry');
   * console.log(String(plan)); // + AcrPull on myregistry for my-group/my-cluster (kubelet 0af18ead…), and the details
   * const text = JSON.stringify(plan); // to be stored, and read in any of the languages
   * await client.applyAttach(JSON.parse(text));
   * ```
   */
  planAttach(cluster: string, registry: string, options?: AttachOptions): Promise<AttachPlan>;

  /**
   * Does what a plan says, after another look: what is done by then is no hindrance, but where something else would be done, nothing is
   * written. The plan carries the options that it was made with; it is good for an hour.
   *
   * Deadline: 5 minutes by default. Errors: those of `attach`; `'conflict'` if the plan has expired or no longer fits;
   * `'invalid_input'` if it is of another version.
   */
  applyAttach(plan: AttachPlan | StoredAttachPlan, options?: ApplyAttachOptions): Promise<Attachment>;

  /**
   * Takes back what lets a cluster's nodes pull from a registry: the direct grants of the two roles that {@link attach} gives. The cluster
   * is never written, and nothing above the registry is touched. What still gives access is in the answer; where there is nothing to
   * remove, nothing is written and the outcome says so.
   *
   * Deadline: 5 minutes by default. Errors: `'not_found'` if the cluster, its kubelet identity or the registry does not exist: a deleted
   * cluster's grants are removed by `principalId`; `'forbidden'` if the caller may not list the grants or not remove one, with the
   * missing action, or if a lock keeps one; `'unsupported'` for a cluster with a service principal whose object id is not given.
   *
   * @example
   * ```js
   * const { outcome, remaining } = await client.detach('my-group/my-cluster', 'myregistry');
   * if (remaining.length > 0) console.log(`${outcome}, and yet: ${remaining[0].roleName} at ${remaining[0].assignmentId}`);
   * ```
   */
  detach(cluster: string, registry: string, options?: DetachOptions): Promise<Detachment>;

  /**
   * Says what {@link detach} would remove, and writes nothing. It needs read rights only.
   *
   * Deadline: 5 minutes by default. Errors: those of `detach`, but for a refusal to write.
   */
  planDetach(cluster: string, registry: string, options?: DetachOptions): Promise<DetachPlan>;

  /**
   * Removes what a plan says, after another look: what is gone by then is no hindrance, but if more would be removed, nothing is. The
   * plan carries the options that it was made with; it is good for an hour. Each grant is tried, also where another is refused; running it again
   * goes on with the rest.
   *
   * Deadline: 5 minutes by default. Errors: those of `detach`; `'conflict'` if the plan has expired or more would be removed;
   * `'invalid_input'` if it is of another version.
   */
  applyDetach(plan: DetachPlan | StoredDetachPlan, options?: CallOptions): Promise<Detachment>;

  /**
   * Which registries a cluster's nodes can pull from, and by which grants, inherited ones included. It looks in the client's subscription
   * and the cluster's; name further ones in the options. What the identity has through Entra groups is among them. `queryGraph`
   * has no effect here. Who pulls for a cluster with a service principal Azure does not tell: look at the registry, by
   * {@link attachmentsOfRegistry}.
   *
   * Deadline: 5 minutes by default. Errors: `'not_found'` if the cluster or its kubelet identity does not exist; `'forbidden'` if the
   * caller may not read the cluster or not list role assignments in a subscription; `'unsupported'` for a cluster with a service
   * principal.
   */
  attachmentsOfCluster(cluster: string, options?: AttachmentsOptions): Promise<ClusterAttachments>;

  /**
   * Who can pull from a registry, and by which grants, inherited ones included; the kubelet identities of clusters are named. Whether
   * a principal still exists is known for those only, unless the directory is asked.
   *
   * Deadline: 5 minutes by default. Errors: `'not_found'` if the registry does not exist; `'forbidden'` if the caller may not read it or
   * not list its role assignments, or may not ask the directory and it was to be asked.
   *
   * @example
   * ```js
   * const { grants } = await client.attachmentsOfRegistry('myregistry');
   * for (const { roleName, principalId, clusters } of grants) console.log(roleName, principalId, clusters);
   * ```
   */
  attachmentsOfRegistry(registry: string, options?: AttachmentsOptions): Promise<RegistryAttachments>;

  /**
   * Finds a registry. `null` if there is none.
   *
   * Deadline: 2 minutes by default. Errors: `'forbidden'`; `'invalid_input'` for the login server of another cloud.
   */
  registry(registry: string, options?: CallOptions): Promise<Registry | null>;

  /**
   * Makes a registry, unless there is one of that name in the group: that one is left as it is, and `differences` say in what it is
   * not what was asked for. Nobody gets in without an identity: the admin user and anonymous pull stay off.
   *
   * A name that is taken and a registry that is being deleted are both `'conflict'`: the one has the `serviceCode`
   * `RegistryNameAlreadyInUse` and wants another name, the other has none and wants waiting. A quota that is used up has no code of its
   * own: see {@link createCluster}.
   *
   * Deadline: 10 minutes by default. Errors: `'invalid_input'` for a name that cannot be one; `'conflict'` if the name is taken
   * elsewhere in the cloud, or the registry is being deleted; `'not_found'` if there is no such group; `'not_registered'` if the
   * subscription has not registered the resource provider, and `registerProviders` does not ask for it; `'forbidden'`; `'operation_failed'`
   * if Azure could not, now or at an earlier try.
   */
  createRegistry(group: string, name: string, options?: CreateRegistryOptions): Promise<CreatedRegistry>;

  /**
   * Makes a cluster whose nodes can pull from the registries in the options, unless there is one of that name in the group: that one is
   * left as it is, its registries are attached, and `differences` say in what it is not what was asked for.
   *
   * The grants are made as soon as the cluster shows its kubelet identity, beside the creation. Called again while the cluster is being
   * made, it waits for that one. An existing cluster is never written.
   *
   * A quota that is used up, or a size that a region does not have, has no code of its own. What Azure refuses at once is
   * `'invalid_input'`, `'forbidden'` without a `missingAction` or `'conflict'`, by its status; what it finds at work is
   * `'operation_failed'`. Azure's own word is the `serviceCode`, such as `QuotaExceeded` or `SkuNotAvailable`; no such answer was recorded,
   * so the list is not complete. The caller's right to make the grants shows only when they are made.
   *
   * Deadline: 60 minutes by default. Errors: `'invalid_input'` for options that cannot be, and from the service for a size or a
   * version that it does not have; `'not_found'` for an absent group or registry, before anything is made; `'conflict'` if the cluster
   * is being deleted; `'operation_failed'` if Azure could not make it, now or at an earlier try; `'not_registered'` if the
   * subscription has not registered the resource provider, and `registerProviders` does not ask for it; `'forbidden'`. Where Azure has begun a
   * cluster by then, which costs, the error's `created` is its id.
   *
   * @example
   * ```js
   * const made = await client.createCluster('my-group/my-cluster', { registries: ['myregistry'], nodeCount: 2 });
   * console.log(made.isNew, made.cluster.state, made.attachments[0].outcome.kind); // true Succeeded granted
   * ```
   */
  createCluster(cluster: string, options?: CreateClusterOptions): Promise<CreatedCluster>;

  /**
   * Copies an image into a registry: Azure does it, and what arrived is compared with the source. A second run with an equal image
   * copies nothing and succeeds. The source may be public, a registry of Azure that the caller may pull from, or one that asks for
   * credentials, which Azure then uses; it arrives under one name or several, or without a tag. With a password a second run of a
   * source that is named by its tag is a `'conflict'`: there is nothing to compare with.
   *
   * Deadline: 30 minutes by default. Errors: `'invalid_input'` for a target that cannot be one or a source in another cloud;
   * `'not_found'` if the registry or the source does not exist; `'conflict'` if the tag has another image; `'forbidden'` if the caller
   * may not import or the source may not be read; `'rate_limited'` if the source throttles; `'operation_failed'` if Azure could
   * not copy it. `failedSide` says on which side the fault lies, where that is known.
   *
   * @example
   * ```js
   * const done = await client.importImage('myregistry', 'nginx', { target: 'nginx:v1', onProgress: (event) => console.log(String(event)) });
   * if (done.proof.kind === 'source_matched') console.log(done.proof.digest);
   * ```
   */
  importImage(registry: string, source: string, options?: ImportOptions): Promise<Import>;

  /**
   * Copies many images into a registry, `concurrency` of them at a time. Each has a result of its own, in the order of the list: one that fails does
   * not stop the others, and one that is there already is not copied. Cancelled, or past the deadline, those that were not done have that
   * error.
   *
   * Deadline: 2 hours by default, for the whole list. Errors, besides those of each image, which are those of `importImage`:
   * `'invalid_input'`, before the first request, for two images with the same target or an image with options that cannot be;
   * `'not_found'` if the registry does not exist; `'forbidden'` if the caller may not read it.
   *
   * @example
   * ```js
   * const images = ['nginx', { source: 'quay.io/team/app:v1', target: 'app:v1' }];
   * for (const { import: done, error } of await client.importImages('myregistry', images)) {
   *   console.log(done ? done.target : error.message);
   * }
   * ```
   */
  importImages(
    registry: string,
    images: readonly (string | ImportItem)[],
    options?: ImportManyOptions,
  ): Promise<readonly ImportResult[]>;

  /**
   * Begins an import and does not wait for it: the handle can be stored, and looked at later, also by another process.
   *
   * Deadline: 30 minutes by default. Errors: those of `importImage` that show before Azure has accepted it.
   *
   * @example
   * ```js
   * const started = await client.startImport('myregistry', 'nginx', { target: 'nginx:v1' });
   * if (started.kind === 'started') await writeFile('handle.json', JSON.stringify(started.handle), { mode: 0o600 });
   * // … later:
   * const handle = new ImportHandle(JSON.parse(await readFile('handle.json', 'utf8')));
   * const { kind } = await client.pollImport(handle); // 'running' or 'succeeded'
   * ```
   */
  startImport(registry: string, source: string, options?: ImportOptions): Promise<StartedImport>;

  /**
   * How far an import is, by one look. Azure names a new link each time, which an {@link ImportHandle} takes over; a handle in its stored
   * form does not. What `startImport` gave is taken for its handle.
   *
   * Deadline: 2 minutes by default. Errors: an import that has failed is `'operation_failed'`, as is one that Azure has forgotten, or an
   * error with `failedSide`. Every other error is that of the look, such as `'unavailable'`: the import goes on, and the handle can be looked at
   * again.
   */
  pollImport(
    handle: ImportHandle | StoredImportHandle | Extract<StartedImport, { readonly kind: 'started' }>,
    options?: CallOptions,
  ): Promise<ImportStatus>;

  /**
   * A cluster's kubeconfig, as a value: no file is written and no program is started. It is what Azure gives. On a cluster with Entra its
   * user is an entry that starts the program `kubelogin`, which kubectl then needs; {@link apply}, {@link waitForRollout} and {@link pods} do not.
   *
   * Deadline: 2 minutes by default. Errors: `'not_found'`, `'forbidden'`; `'invalid_input'` for `access: 'admin'` where local accounts
   * are switched off.
   */
  kubeconfig(cluster: string, options?: KubeconfigOptions): Promise<Kubeconfig>;

  /**
   * Puts a cluster's context, cluster and user into a kubeconfig file, of which every other byte stays: `~/.kube/config`, or where
   * `KUBECONFIG` says, or `file`. A second run changes nothing. The file is replaced whole or not at all, under the lock that kubectl takes.
   * On a cluster with Entra, kubectl needs `kubelogin` for what is merged.
   *
   * Deadline: 2 minutes by default. Errors: those of `kubeconfig`; `'conflict'` if other entries have the names, if others held the lock
   * too long, or if the file changed meanwhile; `'invalid_input'` for a file of a form in which nothing can be put safely;
   * `'forbidden'` if it may not be written; `'unavailable'` if the system could not, as on a full disk. Nothing is changed
   * then, unless the error names a file that is `changed by then`: the second of two of `KUBECONFIG` could not be replaced.
   *
   * ```js
   * const { file, context, outcome } = await client.mergeKubeconfig('group/dev'); // 'added', and it is the current context
   * ```
   */
  mergeKubeconfig(cluster: string, options?: MergeKubeconfigOptions): Promise<MergedKubeconfig>;

  /**
   * Makes a cluster's objects what manifests say, by server-side apply, as the field manager `aks-acr`. `manifests` is YAML with any
   * number of documents, or JSON.
   *
   * Wherever the host `<acr-name>.azurecr.io` stands in an object, it becomes the login server of the registry in the options; the `data` of
   * an object, labels, annotations and descriptions are left alone. Objects are applied in their order: where one fails, those before it stay
   * applied; run again, it goes on from there.
   *
   * Deadline: 5 minutes by default. Errors: `'invalid_input'`, before the first request, for manifests that are none, and from
   * Kubernetes for an object that does not fit its schema or is too large; `'not_found'` for a kind or a namespace that the cluster does
   * not have, or an absent cluster or registry; `'conflict'` for a field that another field manager owns, and, transient, for a namespace
   * that is being deleted; `'forbidden'` if a right is missing, or a quota, a limit or an admission policy
   * refuses the object.
   */
  apply(cluster: string, manifests: string, options?: ApplyOptions): Promise<readonly Applied[]>;

  /**
   * Waits until every replica of a deployment runs; it starts nothing. Only for the kind `Deployment`. A cause that does not pass ends it at
   * once, and is told. The deadline bounds all of it, `propagationTimeoutMs` too.
   *
   * Deadline: 15 minutes by default. Errors: `'pull_failed'` if an image cannot be pulled and waiting does not help, with
   * `pullFailure`; `'deadline_exceeded'` with how far it was, and with the `pullFailure` that stood in the way at the end, if
   * one did; `'operation_failed'` if Kubernetes gives the rollout up; `'not_found'` if there is no such deployment.
   */
  waitForRollout(cluster: string, workload: string, options?: RolloutOptions): Promise<Rollout>;

  /**
   * The pods of a namespace. `String(pods)` is the table that kubectl prints.
   *
   * Deadline: 2 minutes by default. Errors: `'not_found'`, `'forbidden'`; `'invalid_input'` for a namespace that cannot be one.
   */
  pods(cluster: string, options?: PodOptions): Promise<Pods>;
}

/** The operations, each as a {@link Run}. */
export type Follow = {
  readonly [Name in keyof Operations]: (
    ...given: Parameters<Operations[Name]>
  ) => Run<Awaited<ReturnType<Operations[Name]>>>;
};

/**
 * A call that was begun. Iterating it gives its events, to each reader all of them from the first, whenever it begins; the iteration
 * ends with the call, and throws the call's error. Leaving it early cancels the call, at once and for all its readers.
 */
export interface Run<Result> extends AsyncIterable<Event> {
  /**
   * The call's result. Where nobody waits for it, a failure is no unhandled rejection: the iteration has thrown it, or nobody asked.
   */
  readonly result: Promise<Result>;
  /** Stops the call: its result is rejected with `'cancelled'`. What Azure has begun goes on. */
  cancel(): void;
}

// ----------------------------------------------------------------------------------------------------------------------- errors

/** What a caller can do about an error. More may come. */
export type ErrorKind =
  /** The input is wrong; the message names the part. */
  | 'invalid_input'
  /** What was named does not exist. */
  | 'not_found'
  /**
   * Something else is already there, or changed meanwhile. Transient where it is a thing that is being deleted, a lock that another program
   * holds, a file that changed meanwhile, or a list of Azure's that lags.
   */
  | 'conflict'
  /**
   * The caller is known and may not do this; see `refusal`, `missingAction`, `scope` and `smallestRole`. A lock is a refusal too, though
   * Azure answers it with 409.
   */
  | 'forbidden'
  /** The subscription has not registered the resource provider of what is to be made; `registerProviders` does it. */
  | 'not_registered'
  /** No token could be had, or the service did not accept it. Where the credential threw, that is the `cause`. */
  | 'unauthenticated'
  /** The service throttles, and asks to wait longer than the deadline allows; see `retryAfterMs`. */
  | 'rate_limited'
  /** The deadline passed. What Azure has begun goes on. */
  | 'deadline_exceeded'
  /** The caller cancelled. What Azure has begun goes on. The signal's reason is the `cause`. */
  | 'cancelled'
  /** The service could not be reached, or answered that it is out of order. */
  | 'unavailable'
  /** A long-running operation of Azure ended without success. */
  | 'operation_failed'
  /** Pods of a rollout cannot pull their image, for a cause that does not pass; see `pullFailure`. */
  | 'pull_failed'
  /** This build, or this service, cannot do it; the message says what to change. */
  | 'unsupported'
  /** The service's answer was not understood. */
  | 'unexpected';

/** What went wrong: the message is for people, the fields are for programs. No token or key is in any of them. */
export declare class AksAcrError extends Error {
  private constructor();
  /** `'AbortError'` for what was cancelled, with the `code` `'cancelled'`, as with everything else that takes an `AbortSignal`. */
  readonly name: 'AksAcrError' | 'AbortError';
  /** The kind. */
  readonly code: ErrorKind;
  /**
   * Whether the same call may succeed a little later without anybody's doing. By kind that are `'rate_limited'`, `'unavailable'` and
   * `'deadline_exceeded'`; of single errors more is known, such as a lock that another program holds, or a certificate that is not trusted.
   * What the library repeats by itself it has repeated by then.
   */
  readonly isTransient: boolean;
  /**
   * Resource id of what this call has had Azure begin to make, and that is there though the call failed: a cluster, which costs, or a
   * registry. The same call again goes on from there. Absent, it is no proof that nothing is there: no answer may have come.
   */
  readonly created?: string;
  /** The HTTP status of the service's answer. */
  readonly status?: number;
  /** The service's own code, such as `AuthorizationFailed`. */
  readonly serviceCode?: string;
  /** `x-ms-request-id` of the service's answer. */
  readonly requestId?: string;
  /** `x-ms-correlation-request-id` of the service's answer, by which Azure's activity log knows it. */
  readonly correlationId?: string;
  /** Who or what refused, where that is known. */
  readonly refusal?: RefusalKind;
  /** The policies that were in the way, where Azure names them. */
  readonly policies?: readonly DenyingPolicy[];
  /**
   * The action that the caller lacks, such as `Microsoft.Authorization/roleAssignments/write`. Not there where another thing than the
   * caller's roles refused.
   */
  readonly missingAction?: string;
  /** Where the caller was refused: a resource id. */
  readonly scope?: string;
  /** The smallest built-in role that has it. */
  readonly smallestRole?: string;
  /** How long the service asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Why pods cannot pull their image. */
  readonly pullFailure?: PullFailure;
  /** On which side of an import the fault lies. */
  readonly failedSide?: 'source' | 'target';
  /**
   * The claims that Azure wants in a token before it goes on, as JSON, where conditional access asked for more than the caller's token has.
   * Whoever signs in with them (`az login --claims-challenge`, `claims` in `@azure/identity`) gets such a token.
   */
  readonly claims?: string;
  /** What the credential threw, or the reason of the signal that was aborted. */
  readonly cause?: unknown;
}

/** Who or what refused. Each is lifted in another way, by another person. More may come. */
export type RefusalKind =
  /** No role of the caller has the action: see `missingAction`. */
  | 'missing_right'
  /** A policy denies what was asked for: see `policies`. More rights do not help. */
  | 'policy'
  /** A lock is on the resource or above it. More rights do not help; who may manage locks removes it. */
  | 'lock'
  /** A deny assignment, such as that of a deployment stack or a managed application, goes before all roles. */
  | 'deny_assignment'
  /** The caller may grant roles, but under a condition that does not let this role go to this principal. */
  | 'constrained_delegation'
  /** Conditional access of Entra wants something of the caller that a program cannot give, or wants it anew: see `claims`. */
  | 'conditional_access'
  /** The client was made read-only: nothing was sent. */
  | 'read_only_client'
  /** The hook that sees each write said no: nothing was sent. */
  | 'write_hook';

/** A policy that was in the way. What Azure does not tell is `null`. */
export interface DenyingPolicy {
  /** The assignment's display name, or its name where it has none. */
  readonly name: string;
  readonly assignmentId: string | null;
  readonly definitionId: string | null;
}

// --------------------------------------------------------------------------------------------------------------------- progress

/**
 * A step of a call that is under way. `String(event)` is a line for people. Steps may run side by side, so that their events mix; one that
 * fails is not finished: the call's error says so. More kinds may come.
 */
export type Event = (
  | {
      readonly kind: 'started';
      /** What is done. */
      readonly step: string;
    }
  | {
      /** Azure is still at work. */
      readonly kind: 'polling';
      /** What is waited for. */
      readonly step: string;
      /** How often it was asked, from 1. */
      readonly attempt: number;
      /** The service's own word, such as `Accepted`. */
      readonly status: string;
    }
  | {
      /** The state of one target tag of an import changed. */
      readonly kind: 'importing_tag';
      /** `repository:tag` in the target registry. */
      readonly tag: string;
      /** The service's own word, such as `Pending`. */
      readonly status: string;
    }
  | {
      /** Something temporary stood in the way; the request is sent again after the wait. */
      readonly kind: 'retrying';
      /** What is tried again. */
      readonly step: string;
      /** The service's code, or what went wrong. */
      readonly reason: string;
      /** How long is waited first, in milliseconds. */
      readonly waitMs: number | null;
    }
  | {
      /** The number of ready pods of a rollout changed, or what keeps them from it. */
      readonly kind: 'rollout';
      readonly ready: number;
      readonly wanted: number;
      /** What stands in the way at present. */
      readonly cause: string | null;
    }
  | {
      readonly kind: 'finished';
      /** What was done. */
      readonly step: string;
    }
  | {
      /** The import of one image of a list has ended, well or not. */
      readonly kind: 'item_ended';
      /** The image's place in the list, from 0. */
      readonly index: number;
      /** The image, completed as Docker completes it. */
      readonly source: string;
      /** Whether it was copied. `false`: an equal image was there, or it failed. */
      readonly isNew: boolean;
      /** Why it failed, if it did. */
      readonly error: string | null;
    }
) & { toString(): string };

// ------------------------------------------------------------------------------------------------------------------- identities

/** The identities of a cluster, and what decides who may talk to it. */
export interface ClusterIdentities {
  /** The cluster's resource id. */
  readonly cluster: string;
  /** The service's word for the cluster's state, such as `Succeeded` or `Updating`. */
  readonly state: string;
  /** What its nodes pull images with. `null` while a cluster is being made, and on clusters with a service principal. */
  readonly kubelet: KubeletIdentity | null;
  /** Object ids of what the control plane acts with. A grant to it has no effect on pulls. */
  readonly controlPlane: readonly string[];
  /** What add-ons act with. A grant to one has no effect on pulls. */
  readonly addOns: readonly AddOnIdentity[];
  /** Application (client) id of the service principal, on a cluster that has one instead of managed identities. */
  readonly servicePrincipal: string | null;
  /** How the cluster uses Entra for its users, if it does. */
  readonly entra: EntraSettings | null;
  /** Whether credentials that do not go through Entra are switched off. */
  readonly localAccountsDisabled: boolean;
}

/** The identity that a cluster's nodes pull images with. */
export interface KubeletIdentity {
  /** Its object id: what a grant names. */
  readonly objectId: string;
  /** Its client id, which no grant should name. */
  readonly clientId: string | null;
  /** Resource id of the managed identity. */
  readonly resourceId: string | null;
}

/** The identity of an add-on. */
export interface AddOnIdentity {
  /** The add-on's name, such as `azureKeyvaultSecretsProvider`. */
  readonly addOn: string;
  /** The identity's object id. */
  readonly objectId: string;
}

/** How a cluster uses Entra for its users. */
export interface EntraSettings {
  /** Whether Azure's role assignments decide inside Kubernetes too. */
  readonly azureRbac: boolean;
}

// ----------------------------------------------------------------------------------------------------------------------- attach

/** The role that gives pull: which one depends on the registry's mode. */
export type PullRole = 'AcrPull' | 'Container Registry Repository Reader';

/** How a cluster is attached. */
export interface AttachOptions extends CallOptions {
  /**
   * Who gets the grant, where that is not the cluster's kubelet identity: the object id of a service principal, on a cluster that
   * has one. It is not compared with the cluster: whoever is named gets the grant.
   */
  principalId?: string;
  /**
   * Narrows the grant, in the language of Azure's attribute-based access control. Only for registries whose permissions are on
   * repositories: elsewhere it would have no effect, and is refused.
   */
  condition?: string;
  /** What is done where a scope above the registry gives the role already. By default that is enough. */
  onInheritedGrant?: 'suffices' | 'grant_directly';
  /**
   * What is done where the role is there with another condition. By default it is left as it is, and the outcome says so; to replace
   * it may widen the grant.
   */
  onConditionMismatch?: 'keep' | 'replace';
  /** For how long a refusal is tried again, in milliseconds. Not at all by default; rights that were just activated need it. */
  retryForbiddenForMs?: number;
}

/** How a plan of attach is applied. What is done, the plan says. */
export interface ApplyAttachOptions extends CallOptions {
  /** For how long a refusal is tried again, in milliseconds. Not at all by default; rights that were just activated need it. */
  retryForbiddenForMs?: number;
}

/** The state "this cluster can pull from this registry, by that grant". Azure takes seconds to minutes to honour a new one. */
export interface Attachment {
  /** What was found or done. */
  readonly outcome: AttachOutcome;
  /** The role that gives pull. */
  readonly role: PullRole;
  /** Object id of who has it. */
  readonly principalId: string;
  /** The registry's resource id. */
  readonly registry: string;
  /** Id of the role assignment. `null` where one exists that the caller may not read. */
  readonly assignmentId: string | null;
  /** What narrows the grant. */
  readonly condition: string | null;
  /** `x-ms-correlation-request-id` of the write, by which Azure's activity log knows it. `null` where nothing was written. */
  readonly correlationId: string | null;
  /** Object ids of the Entra groups that have a role which gives pull there, where Azure did not say whether the identity is a member. */
  readonly uncheckedGroups: readonly string[];
}

/** What attach found or did. */
export type AttachOutcome =
  | {
      /** The grant was made. */
      readonly kind: 'granted';
    }
  | {
      /** The same grant was there: nothing was written. */
      readonly kind: 'already_granted';
    }
  | {
      /** A scope above the registry gives the role: nothing was written. */
      readonly kind: 'inherited';
      /** That scope. */
      readonly from: string;
    }
  | {
      /**
       * The identity is a member of an Entra group that has a role which gives pull: nothing was written. A membership that was just made
       * takes long to have an effect; ask for a direct grant to be independent of that.
       */
      readonly kind: 'through_group';
      /** Object id of the group. */
      readonly group: string;
      /** The scope of its role assignment. */
      readonly from: string;
    }
  | {
      /** The role is there with another condition, which was left as it is: nothing was written. */
      readonly kind: 'condition_differs';
      /** The condition that is there. `null`: the role is there without any, and so is wider than was asked. */
      readonly existing: string | null;
    };

/**
 * What attach would do. `String(plan)` is a line for people. `JSON.stringify(plan)` is the form that is stored, the same in every
 * language; `JSON.parse` of it goes to `applyAttach`. So does a copy that `structuredClone`, a message to a worker or a spread makes; it has the
 * fields, and not the line.
 */
export interface AttachPlan {
  /** The version of the form in which the plan is written. */
  readonly version: number;
  /** After this, by the clock of Azure, it is refused. */
  readonly expires: Date;
  /** The cluster; without a subscription it is in the client's. */
  readonly cluster: { readonly subscription: string | null; readonly group: string; readonly name: string };
  /** The registry's resource id. */
  readonly registry: string;
  /** The role that gives pull there. */
  readonly role: PullRole;
  /** Object id of who would have it. */
  readonly principalId: string;
  /** What would narrow it. */
  readonly condition: string | null;
  /** What would be done. */
  readonly action: PlannedAction;
  /** Whether the options named who gets the grant. */
  readonly isPrincipalNamed: boolean;
  /** What the options said of a scope above the registry, or a group, that gives pull already. */
  readonly onInheritedGrant: 'suffices' | 'grant_directly';
  /** What the options said of the role with another condition. */
  readonly onConditionMismatch: 'keep' | 'replace';
  /** Object ids of the Entra groups that have a role which gives pull there, where Azure did not say whether the identity is a member. */
  readonly uncheckedGroups: readonly string[];
  toString(): string;
  toJSON(): StoredAttachPlan;
}

/** A plan as `JSON.parse` gives it. */
export interface StoredAttachPlan {
  readonly version: number;
  readonly expires: string;
  readonly [field: string]: unknown;
}

/** What a plan does. */
export type PlannedAction =
  | {
      /** Makes the grant. */
      readonly kind: 'grant';
    }
  | {
      /** Gives the grant that is there another condition. */
      readonly kind: 'replace';
      readonly assignmentId: string;
    }
  | {
      /** Writes nothing, since this is so already. */
      readonly kind: 'nothing';
      /** What attach would answer. */
      readonly outcome: AttachOutcome;
    };

// ----------------------------------------------------------------------------------------------------------------------- detach

/** How a cluster is detached. */
export interface DetachOptions extends CallOptions {
  /**
   * Whose grant is removed, where that is not the cluster's kubelet identity: an object id. The cluster is not looked at then: so it can
   * be one that was deleted, whose grants Azure keeps.
   */
  principalId?: string;
  /**
   * Leaves alone what this library did not make, such as a grant that Terraform or Bicep would make again. By default every direct
   * grant of the two roles that attach gives is removed, whoever made it.
   */
  onlyCreatedByAksAcr?: boolean;
}

/**
 * What was removed, and what still lets the cluster pull. Removed is not yet without effect: Azure takes from seconds to minutes, a node may
 * hold a token of the registry for hours, and an image that is on a node already starts without a pull.
 */
export interface Detachment {
  /** Whether a grant or more was removed. There may be none to remove, and the cluster able to pull all the same, by what remains. */
  readonly outcome: 'removed' | 'nothing_to_remove';
  /** Whose grants. */
  readonly principalId: string;
  /** The registry's resource id. */
  readonly registry: string;
  /** What was removed. */
  readonly removed: readonly RemovedGrant[];
  /**
   * What still gives this principal pull: from above, of other roles, of Entra groups that it is in, or not made by us where only ours
   * were to go.
   */
  readonly remaining: readonly PullGrant[];
}

/** A grant that was removed. */
export interface RemovedGrant {
  /** Id of the role assignment that is gone. */
  readonly assignmentId: string;
  readonly role: PullRole;
  /** What narrowed it. */
  readonly condition: string | null;
  /** `x-ms-correlation-request-id` of the write, by which Azure's activity log knows it. */
  readonly correlationId: string | null;
}

/** What detach would do. `String(plan)` is some lines for people; it is stored as an {@link AttachPlan} is. */
export interface DetachPlan {
  /** The version of the form in which the plan is written. */
  readonly version: number;
  /** After this, by the clock of Azure, it is refused. */
  readonly expires: Date;
  /** The cluster; without a subscription it is in the client's. */
  readonly cluster: { readonly subscription: string | null; readonly group: string; readonly name: string };
  /** The registry's resource id. */
  readonly registry: string;
  /** Whose grants. */
  readonly principalId: string;
  /** What would be removed. Empty: nothing would be written. */
  readonly remove: readonly RoleAssignment[];
  /** What would still give this principal pull, the grants of Entra groups that it is a member of among it. */
  readonly remaining: readonly PullGrant[];
  /** Whether the options named whose grants are meant. */
  readonly isPrincipalNamed: boolean;
  /** Whether only what this library made is meant. */
  readonly onlyCreatedByAksAcr: boolean;
  toString(): string;
  toJSON(): StoredDetachPlan;
}

/** A plan as `JSON.parse` gives it. */
export interface StoredDetachPlan {
  readonly version: number;
  readonly expires: string;
  readonly [field: string]: unknown;
}

/** A role assignment as Azure has it. */
export interface RoleAssignment {
  /** Its resource id. */
  readonly id: string;
  /** Where it holds. */
  readonly scope: string;
  /** To whom. */
  readonly principalId: string;
  /** Azure's word for what the principal is: `ServicePrincipal` (a managed identity too), `Group`, `User`. */
  readonly principalType: string | null;
  /** The role definition's id, the part that is the same in every subscription. */
  readonly roleDefinitionId: string;
  /** What narrows it. */
  readonly condition: string | null;
  /** What its maker wrote about it. */
  readonly description: string | null;
}

// ------------------------------------------------------------------------------------------------------------------ attachments

/** Where attachments are looked for. */
export interface AttachmentsOptions extends CallOptions {
  /** Further subscriptions to look in. The client's own is looked in, and that of the cluster or registry. */
  subscriptions?: readonly string[];
  /**
   * Whether the directory is asked which principals of a registry's grants still exist; at a cluster there is nothing to ask. It is not by
   * default: it takes rights there (in Microsoft Graph), which rights in Azure do not bring.
   */
  queryGraph?: boolean;
}

/** What a cluster's nodes can pull from. */
export interface ClusterAttachments {
  /** The cluster's resource id. */
  readonly cluster: string;
  /** Who pulls for it. */
  readonly principalId: string;
  /** The grants, one or more for a registry: those on the registry itself first. */
  readonly grants: readonly PullGrant[];
  /** The subscriptions that were looked in. A registry elsewhere may be attached too. */
  readonly subscriptions: readonly string[];
}

/** Who can pull from a registry. */
export interface RegistryAttachments {
  readonly registry: Registry;
  /** The grants: those on the registry itself first. */
  readonly grants: readonly PullGrant[];
  /** The subscriptions whose clusters were looked at, to tell whose a grant is. One where the caller may not list them is left out. */
  readonly subscriptions: readonly string[];
}

/**
 * A role assignment that lets somebody pull from a registry. A role is judged by what it allows: an Owner can pull too, where permissions
 * are on the whole registry.
 */
export interface PullGrant {
  /** The registry's resource id. */
  readonly registry: string;
  /** Who holds the assignment: object id of an identity or a group. */
  readonly principalId: string;
  /** Azure's word for what that is: `ServicePrincipal` (a managed identity too), `Group`, `User`. */
  readonly principalType: string | null;
  /** Whether the principal still exists, as far as that is known. What is gone Azure keeps the assignments of. */
  readonly principalState: 'exists' | 'gone' | 'unknown';
  /** The clusters that were looked at whose nodes pull with it: it is their kubelet identity, or a group that has that as a member. */
  readonly clusters: readonly string[];
  /** The role definition's id, the part that is the same in every subscription. */
  readonly roleDefinitionId: string;
  /** The role's name. `null` where the caller may not read the definition. */
  readonly roleName: string | null;
  /** Id of the role assignment. */
  readonly assignmentId: string;
  /** Where it was assigned. */
  readonly reach: GrantReach;
  /** What narrows it. */
  readonly condition: string | null;
  /** `false`: the caller may not read the role's definition or the registry, so that it may give pull, or not. */
  readonly isCertain: boolean;
  /**
   * Where the principal is a group (else `'none'`): `'checked'` if its members are known, and so `clusters` complete, or `'unchecked'`.
   */
  readonly membership: 'none' | 'checked' | 'unchecked';
}

/** Where a grant was assigned. */
export type GrantReach =
  | {
      /** On the registry itself: detach removes it, if its role is one that attach gives. */
      readonly kind: 'direct';
    }
  | {
      /** On a scope above the registry, and so for all that is below that. */
      readonly kind: 'inherited';
      /** That scope. */
      readonly from: string;
    };

// ----------------------------------------------------------------------------------------------------------------------- rights

/**
 * The rights that these operations need, each once. What is required by one of them is required.
 *
 * @throws {AksAcrError} `'invalid_input'` for an operation that there is not.
 *
 * @example
 * ```js
 * const rights = requiredRights(['attach', 'importImage']);
 * await writeFile('role.json', customRoleJson('aks-acr', rights, [`/subscriptions/${subscriptionId}/resourceGroups/my-group`]));
 * // az role definition create --role-definition @role.json
 * ```
 */
export declare function requiredRights(operations: readonly (keyof Operations)[]): readonly RequiredRight[];

/**
 * A custom role that has exactly these rights, as `az role definition create --role-definition @file` reads it. Those that are not required are
 * in it too: leave out what you do not want.
 *
 * @throws {AksAcrError} `'invalid_input'` for rights that are not those of {@link requiredRights}.
 */
export declare function customRoleJson(
  name: string,
  rights: readonly RequiredRight[],
  assignableScopes: readonly string[],
): string;

/** A right that an operation needs. */
export interface RequiredRight {
  /** The action, such as `Microsoft.Authorization/roleAssignments/write`. */
  readonly action: string;
  /** Whether it is an action on data, which stands in a list of its own in a role. */
  readonly isDataAction: boolean;
  /** Where it is needed. */
  readonly at: 'cluster' | 'registry' | 'resource_group' | 'subscription';
  /** `false`: the operation works without it, and `why` says what is lost, or when it is needed. */
  readonly isRequired: boolean;
  /** What it is needed for. */
  readonly why: string;
  /** The smallest built-in role that has it, where one is known. */
  readonly smallestRole: string | null;
}

// ------------------------------------------------------------------------------------------------------------------- registries

/** A registry as Azure has it. */
export interface Registry {
  /** Its resource id. */
  readonly id: string;
  /** The host that images are pushed to and pulled from. Not always the name and an ending. */
  readonly loginServer: string;
  /** The region. */
  readonly location: string;
  /** Such as `Basic`. */
  readonly sku: string;
  /** Whether permissions are given on the whole registry or on its repositories. */
  readonly mode: RoleAssignmentMode;
  /** The service's word for its state, such as `Succeeded`. */
  readonly state: string;
}

/** Whether a registry's permissions are given on the whole of it or on its repositories. */
export type RoleAssignmentMode = 'LegacyRegistryPermissions' | 'AbacRepositoryPermissions';

/** How a registry is made. */
export interface CreateRegistryOptions extends CallOptions {
  /** The region. By default that of the resource group. */
  location?: string;
  /** The service tier. `'Basic'` by default. */
  sku?: 'Basic' | 'Standard' | 'Premium';
  /** Whether permissions are given on the whole registry, which is the default, or on its repositories. */
  mode?: RoleAssignmentMode;
  /**
   * How far the label reaches that Azure puts behind the name in the login server, as in `myregistry-e5f2d9a8b7c6h3j1.azurecr.io`: who in
   * that reach makes a registry of this name again gets the same login server. No label by default. Only a preview of Azure's
   * interface makes such a registry.
   */
  domainNameLabelScope?: 'TenantReuse' | 'SubscriptionReuse' | 'ResourceGroupReuse' | 'NoReuse';
  /** Whether `Microsoft.ContainerRegistry` is registered where the subscription has not done so. It is not by default. */
  registerProviders?: boolean;
}

/** The registry, and whether this call made it. */
export interface CreatedRegistry {
  readonly registry: Registry;
  /** `false`: it was there, and was left as it is. */
  readonly isNew: boolean;
  /**
   * In what one that was there differs from the one that would have been made: `location`, where one was asked for, `sku`,
   * `role_assignment_mode`, `domain_name_label_scope`, `admin_user`, `anonymous_pull`.
   */
  readonly differences: readonly Difference[];
  /** `x-ms-correlation-request-id` of the write, by which Azure's activity log knows it. `null` where nothing was written. */
  readonly correlationId: string | null;
}

/** One point in which a resource that exists is not what would have been made. Nothing was changed. */
export interface Difference {
  /** What differs, such as `sku` or `location`: a word that is the same in every language. */
  readonly property: string;
  /** What would have been made. */
  readonly asked: string;
  /** What is there. */
  readonly found: string;
}

// ----------------------------------------------------------------------------------------------------------------------- import

/** How an image is imported. */
export interface ImportOptions extends CallOptions {
  /**
   * `repository:tag` in the target registry. By default the source's own, as Docker completes them, unless `additionalTags` or `untaggedRepositories` name others:
   * `nginx` arrives as `library/nginx:latest`, `ghcr.io/a/b:v1` as `a/b:v1`. A source with a digest and no tag needs one.
   */
  target?: string;
  /** Further names of the same image there, each `repository:tag`. */
  additionalTags?: readonly string[];
  /** Repositories there that get the image without a tag: it is known by its digest alone. */
  untaggedRepositories?: readonly string[];
  /**
   * What happens to a tag that exists. Kept by default: an equal image is success, another is `'conflict'`. Where the source cannot be looked
   * at, as with a password, and is not named by its digest, any image under the tag is another.
   */
  onExistingTag?: 'keep' | 'replace';
  /**
   * The registry of Azure that has the source, where it cannot be found by the host in the source's name: one of another subscription,
   * by its resource id. Not with a password.
   */
  sourceRegistry?: string;
  /** Who the source lets pull; with `password`. */
  username?: string;
  /**
   * The user's password, or without a user a token of Entra that the source, a registry of Azure, takes. Azure alone uses it: the source
   * is not looked at before the import, so nothing is compared unless the source is named by its digest, and `untaggedRepositories` needs such a source.
   */
  password?: string;
}

/** One image of a list, and how it is imported. Who hears of it, and what cancels it, is that of the list. */
export interface ImportItem extends Omit<ImportOptions, 'signal' | 'onProgress'> {
  /** The image. */
  source: string;
}

/** How a list of images is imported. */
export interface ImportManyOptions extends CallOptions {
  /** How many imports are under way at a time; 4 by default. */
  concurrency?: number;
}

/** What came of one image of a list: the import, or why there is none. */
export type ImportResult =
  | { readonly import: Import; readonly error?: undefined }
  | { readonly error: AksAcrError; readonly import?: undefined };

/** How `startImport` ended. */
export type StartedImport =
  | {
      /** Azure copies. */
      readonly kind: 'started';
      /** By which the import is followed. */
      readonly handle: ImportHandle;
    }
  | {
      /** Every target has the image already: nothing was begun. */
      readonly kind: 'already_exists';
      /** What is there. */
      readonly import: Import;
    };

/**
 * An import that Azure works on. `JSON.stringify(handle)` is the form that is stored, the same in every language. The link in it is signed
 * by Azure: whoever has it can follow the import, so keep it as a secret. `util.inspect` does not show it, and no copy has it that
 * `structuredClone`, a message to a worker or a spread makes: such a copy is refused; send what `toJSON` gives.
 */
export declare class ImportHandle {
  /** @throws {AksAcrError} `'invalid_input'` for what cannot be a handle's stored form. */
  constructor(stored: StoredImportHandle);
  /** Resource id of the registry that is imported into. */
  readonly registry: string;
  /** `repository:tag` of each target, or the repository of one without a tag. */
  readonly targets: readonly string[];
  /** `x-ms-correlation-request-id` of the request that began it, by which Azure's activity log knows it, where it is known. */
  readonly correlationId: string | null;
  /** How long Azure asked to wait before the next look, in milliseconds. `null` where it did not. */
  get waitMs(): number | null;
  toJSON(): StoredImportHandle;
}

/** A handle as `JSON.parse` gives it. */
export interface StoredImportHandle {
  readonly registry: string;
  readonly targets: readonly string[];
  readonly link: string;
  readonly correlation_id?: string | null;
  /** What is to arrive, where it is known: by it a tag that another import has brought is told from one that is taken. */
  readonly arriving?: { readonly images: readonly string[]; readonly digest: string };
}

/** How far an import is. */
export type ImportStatus =
  | {
      /** Azure is at work. */
      readonly kind: 'running';
      /** The service's own word for the state of each `repository:tag`. */
      readonly tags: { readonly [tag: string]: string };
    }
  | {
      /** All is copied. */
      readonly kind: 'succeeded';
    };

/** An image that is in the registry now. */
export interface Import {
  /** The source, completed as Docker completes it. */
  readonly source: string;
  /** The image in the registry: by its tag, or by its digest where it has none there. */
  readonly target: string;
  /** Its further names there. */
  readonly additionalTags: readonly string[];
  /** `false`: an equal image was there, and nothing was copied. */
  readonly isNew: boolean;
  /** How sure it is that the two are the same. */
  readonly proof: ImportProof;
  /**
   * `x-ms-correlation-request-id` of the write, by which Azure's activity log knows it. `null` where nothing was copied, or its answer was lost.
   */
  readonly correlationId: string | null;
}

/** How sure it is that an imported image is its source. */
export type ImportProof =
  | {
      /** The target's digest equals the one that is meant: the one that the source is named by, or else had before the import. */
      readonly kind: 'source_matched';
      readonly digest: string;
    }
  | {
      /** The target's digest is known, the source's is not. */
      readonly kind: 'target_only';
      readonly digest: string;
      /** Why the source was not compared: it was not reached from here, refuses the caller, or is asked by Azure alone. */
      readonly reason: string;
    }
  | {
      /**
       * Azure says that the import succeeded; the target was not reached from here, refuses the caller, or has replicas that do not show
       * the image yet.
       */
      readonly kind: 'unproven';
      /** Why not. */
      readonly reason: string;
    };

// --------------------------------------------------------------------------------------------------------------------- clusters

/** How a cluster is made: by default as `az aks create` makes it, but without an SSH key. */
export interface CreateClusterOptions extends CallOptions {
  /** The registries that its nodes are to be able to pull from; none by default. */
  registries?: readonly string[];
  /** The region. By default that of the resource group. */
  location?: string;
  /** How many nodes its one pool has; 3 by default. */
  nodeCount?: number;
  /** The size of its nodes, such as `Standard_D2s_v5`. The service's choice by default. */
  vmSize?: string;
  /** The version of Kubernetes, such as `1.33` or `1.33.4`. The service's choice by default. */
  kubernetesVersion?: string;
  /** What its control plane is good for, and what it costs. `'Free'` by default. */
  tier?: 'Free' | 'Standard' | 'Premium';
  /** The public key, `ssh-rsa AAAA…` or `ssh-ed25519 AAAA…`, of who may sign in to the nodes as `azureuser`. Nobody by default. */
  sshKey?: string;
  /**
   * Instead of it, the file of a key pair, such as `/home/me/.ssh/id_rsa`, whose public half lies beside it with the ending `.pub`. What is
   * missing is made, readable by its owner only. It is looked at only when a cluster is made.
   */
  sshKeyFile?: string;
  /**
   * Whether `Microsoft.ContainerService` is registered where the subscription has not done so, and no other resource provider. It is not by
   * default.
   */
  registerProviders?: boolean;
}

/** A cluster that is there now, and what its nodes can pull from. */
export interface CreatedCluster {
  readonly cluster: Cluster;
  /** `false`: it was there, or was being made already, and was left as it is. */
  readonly isNew: boolean;
  /**
   * In what one that was there differs from the one that would have been made: `location`, `vm_size` and `kubernetes_version`, where they
   * were asked for, `node_count`, `tier`, and `ssh_key`, where a public key was given.
   */
  readonly differences: readonly Difference[];
  /** What was found or done at each registry, in the order in which they were given. */
  readonly attachments: readonly Attachment[];
  /**
   * `x-ms-correlation-request-id` of the write, by which Azure's activity log knows it. `null` where nothing was written, or its answer was
   * lost.
   */
  readonly correlationId: string | null;
}

/** A cluster as Azure has it. */
export interface Cluster {
  /** Its resource id. */
  readonly id: string;
  /** The region. */
  readonly location: string;
  /** The service's word for its state, such as `Succeeded` or `Updating`. */
  readonly state: string;
  /** The version of Kubernetes that runs. */
  readonly kubernetesVersion: string;
  /** Such as `Free`. */
  readonly tier: string;
  /** The nodes of its first system pool. `null` where Azure states no count, as for a pool of several sizes. */
  readonly nodeCount: number | null;
  /** The size of those; empty where Azure states none. */
  readonly vmSize: string;
  /** The host of its API server, once it has one. */
  readonly host: string | null;
}

/** How a kubeconfig is asked for. */
export interface KubeconfigOptions extends CallOptions {
  /**
   * As whom the cluster is entered: `'user'` by default, on a cluster with Entra oneself; `'admin'` with the certificate of the
   * cluster's administrator, past Entra.
   */
  access?: 'user' | 'admin';
  /** Whether a private cluster is entered by its public name; not by default. */
  publicFqdn?: boolean;
  /**
   * The name of context and cluster; the user gets the name that Azure gives it, followed by this one. By default all have Azure's names.
   * An administrator's context has the name that is given here, but merged into a file it always ends in `-admin`.
   */
  context?: string;
}

/** How a cluster's entries are put into a file. */
export interface MergeKubeconfigOptions extends KubeconfigOptions {
  /**
   * The file. By default it is looked for as kubectl does: the first file of `KUBECONFIG` that has an entry of one of the names, else its
   * first that exists, else its last; without `KUBECONFIG`, `~/.kube/config`.
   */
  file?: string;
  /** What happens to other entries of the same names: they are kept by default, and then a `'conflict'`. */
  onExistingEntry?: 'keep' | 'replace';
  /** Whether the context becomes the current one; it does by default. */
  setCurrent?: boolean;
  /** How long others who hold the file's lock are waited for, in milliseconds; 10 seconds by default. */
  lockWaitMs?: number;
}

/** A kubeconfig that is in a file now. */
export interface MergedKubeconfig {
  /** The file that has the entries. Where it is a link, what that leads to was written. */
  readonly file: string;
  /** The name of the context. An administrator's ends in `-admin`. */
  readonly context: string;
  /** What was done to the entries. */
  readonly outcome: 'added' | 'replaced' | 'unchanged';
  /** The context that was the current one, if there was one. */
  readonly previousContext: string | null;
  /** Whether the current context was changed. */
  readonly currentContextChanged: boolean;
  /** Whether the file's mode lets others than its owner read or write it. It had this mode before; the keys in it are theirs, too. */
  readonly isOpenToOthers: boolean;
}

/** A kubeconfig that Azure made for a cluster. It holds keys: neither `util.inspect` nor `JSON.stringify` shows its text. */
export declare class Kubeconfig {
  private constructor();
  /** Address of the Kubernetes API. */
  readonly server: string;
  /** Name of the current context. */
  readonly context: string;
  /** The whole text. It is a secret. */
  text(): string;
}

/** How manifests are applied. */
export interface ApplyOptions extends CallOptions {
  /** The registry whose login server takes the place of `<acr-name>.azurecr.io` in the manifests' images. */
  registry?: string;
  /** Namespace of objects that name none; `'default'` by default. */
  namespace?: string;
  /** Whether fields that another field manager owns are taken over; not by default. */
  force?: boolean;
  /** Whether the cluster only says what it would do; not by default. */
  dryRun?: boolean;
}

/** An object that was applied. */
export interface Applied {
  /** Such as `Deployment`. */
  readonly kind: string;
  readonly name: string;
  /** Its namespace, where its kind has one. */
  readonly namespace: string | null;
  /** Whether it was not there before; in a dry run, whether it would be new. */
  readonly isNew: boolean;
}

/** How a rollout is waited for. */
export interface RolloutOptions extends CallOptions {
  /** The deployment's namespace; `'default'` by default. */
  namespace?: string;
  /**
   * The registry that the images come from, by its resource id, where it is in a subscription that is not searched. When a registry refuses a
   * pull, its role assignments are read, to tell a missing one from one that is not effective yet.
   */
  registry?: string;
  /**
   * The subscriptions in which the registry of a refused pull is searched, besides the client's and the cluster's; by default all that the
   * caller can see.
   */
  subscriptions?: readonly string[];
  /**
   * How long a grant that is there may take to become effective, in milliseconds, counted from the first pull that the registry refuses; 10
   * minutes by default. It does not prolong the deadline.
   */
  propagationTimeoutMs?: number;
}

/** A deployment that runs as its specification says. */
export interface Rollout {
  /** Replicas that are ready. */
  readonly ready: number;
  /** Replicas that are wanted. */
  readonly wanted: number;
}

/** Which pods are meant. */
export interface PodOptions extends CallOptions {
  /** Their namespace; `'default'` by default. */
  namespace?: string;
  /** Their labels, such as `app=nginx0`; all by default. */
  labels?: string;
}

/** The pods of a namespace. `String(pods)` is the table that kubectl prints. */
export interface Pods {
  /** The pods, by name. */
  readonly pods: readonly Pod[];
  /** The cluster's own time when it told of them: ages count to it. */
  readonly at: Date;
  toString(): string;
}

/** A pod. */
export interface Pod {
  readonly name: string;
  readonly namespace: string;
  /** What kubectl shows as STATUS, such as `Running` or `ImagePullBackOff`. */
  readonly status: string;
  /** Containers that are ready, sidecars included. */
  readonly ready: number;
  /** Containers that it has, sidecars included. */
  readonly containers: number;
  /** How often its containers were started again. */
  readonly restarts: number;
  /** When one of them last ended. */
  readonly lastRestart: Date | null;
  /** When it was made. */
  readonly created: Date | null;
  /** The node that it runs on, once it has one. */
  readonly node: string | null;
  /** Digest or id of the image that its first container runs, once it does. */
  readonly imageId: string | null;
  /** Why an image of it is not pulled, if one is not. */
  readonly pullFailure: PullFailure | null;
}

/** A pull that failed: what was meant to be pulled, the cause as far as its text tells, and the text. */
export interface PullFailure {
  readonly pod: string;
  readonly container: string;
  /** The image as the pod names it. */
  readonly image: string;
  /** Kubelet's reason, such as `ErrImagePull`. */
  readonly reason: string;
  /** What its text means. */
  readonly cause: PullCause;
  /** The text of the first failure. */
  readonly message: string;
}

/** What a failed pull's text means. More kinds may come. */
export type PullCause =
  | {
      readonly kind: /** The registry gives the identity no right on this repository: no grant, the wrong role, or not effective yet. */
      | 'unauthorized'
        /** No credentials reached the registry: the nodes have no identity, or could not use it. */
        | 'no_credentials'
        /** The registry does not have the repository or the tag. */
        | 'not_found'
        /** The image has no variant for the node's operating system and processor. */
        | 'no_matching_platform'
        /** A private address does not answer: no route, or a security group in the way. */
        | 'private_address_timeout'
        /** A public address does not answer: outgoing traffic is filtered. */
        | 'public_address_timeout'
        /** The registry's host name does not resolve. */
        | 'no_such_host'
        /** The registry throttles. */
        | 'throttled'
        /** The registry's certificate is not trusted: something on the way reads the traffic. */
        | 'untrusted_certificate'
        /** The image's name is not one. */
        | 'invalid_name'
        /** The image is not on the node, and the pod says that it is never to be pulled. */
        | 'never_pulled'
        /** The text is not known here. It may pass. */
        | 'unknown';
    }
  | {
      /** The registry's firewall refused the address. */
      readonly kind: 'firewall';
      /** The cluster's outgoing address, if the text names it. */
      readonly address: string | null;
    };
