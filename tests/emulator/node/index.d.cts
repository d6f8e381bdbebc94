/// <reference lib="esnext.disposable" />

/** The version of this package. */
export declare const version: string;

/** An error of the emulator. */
export declare class EmulatorError extends Error {
  private constructor();
  readonly name: 'EmulatorError';
  /**
   * What went wrong: an option or value is invalid (`Invalid`), something named does not exist (`Missing`), Entra refused a
   * token (`NoToken`), or this machine failed (`System`).
   */
  readonly code: 'Invalid' | 'Missing' | 'NoToken' | 'System';
}

/** A resource group. The groups of registries and clusters are created with them. */
export interface Group {
  name: string;
  location?: string;
}

/** A rule that makes a registry fetch images of a `source`, such as `docker.io/library/*`, for its `target`, such as `hub/*`. */
export interface CacheRule {
  name: string;
  source: string;
  target: string;
  credentialSet?: string;
  /** Why Azure cannot sign in with the credential set. */
  credentialError?: string;
}

/** A registry. */
export interface Registry {
  group: string;
  name: string;
  subscription?: string;
  location?: string;
  /** `Basic` (default), `Standard` or `Premium`. */
  sku?: string;
  loginServer?: string;
  /** Whether repository permissions and conditions are enforced. */
  abac?: boolean;
  tags?: Record<string, string>;
  /** Azure's own properties. */
  properties?: Record<string, unknown>;
  /** The regions of its replicas, besides its own region. Nodes pull from a replica then. */
  replicas?: string[];
  /** How many seconds after a push or an import the replicas have the image; 0 by default. */
  replicasLag?: number;
  /** The Log Analytics workspace, in the group of the registry, to which its resource logs are sent. */
  logsWorkspace?: string;
  cacheRules?: CacheRule[];
}

/** A node of a cluster. */
export interface Node {
  name: string;
  /** `linux` (default) or `windows`. */
  os?: string;
  /** `amd64` (default) or `arm64`. */
  architecture?: string;
}

/** A cluster, by default with two nodes of linux/amd64. */
export interface Cluster {
  group: string;
  name: string;
  subscription?: string;
  location?: string;
  version?: string;
  /** The version of containerd on the nodes, by default `2.0.14`. The messages of failed pulls depend on it. */
  containerd?: string;
  /** How many pulls a second each kubelet starts. By default, and for 0, there is no limit; with `registryBurst` only, 5. */
  registryPullQPS?: number;
  /** How many pulls each kubelet starts at once. With `registryPullQPS` only, 10. */
  registryBurst?: number;
  entra?: boolean;
  azureRbac?: boolean;
  localAccountsDisabled?: boolean;
  servicePrincipal?: boolean;
  /** When the secret of its service principal expires, such as `2026-01-01T00:00:00Z`. */
  secretEnds?: string;
  userAssigned?: boolean;
  /** Its nodes pull without signing in. */
  withoutKubeletIdentity?: boolean;
  /** Its nodes pull as a former kubelet identity. */
  outdatedNodes?: boolean;
  /** Its scale sets lack the kubelet identity. */
  detachedIdentity?: boolean;
  /** The image of its Linux nodes, such as `AKSUbuntu-2204gen2containerd-202501.12.0`. */
  nodeImage?: string;
  /** Its provisioning state: `Succeeded` (default), `Failed`, `Creating`, `Updating`, `Deleting`, `Upgrading`, `Stopping`, `Starting` or `Canceled`. */
  state?: string;
  /** Its nodes pull as the service accounts of pods; `default` names the identity of those that name none. */
  serviceAccountPulls?: { default?: string };
  /** The registry, as `group/name`, that refused the programs of its nodes: the cluster is network isolated, and has failed. */
  bootstrapRefused?: string;
  adminGroups?: string[];
  nodes?: Node[];
  tags?: Record<string, string>;
  /** Azure's own properties. */
  properties?: Record<string, unknown>;
}

/** An image, by the name that a pod uses. */
export interface Image {
  name: string;
  /** By default `linux/amd64` and `linux/arm64`. */
  platforms?: string[];
  /** What it is instead of an image that nodes can run: a manifest of Docker's first schema, or a Helm chart. */
  artifact?: 'schema1' | 'chart';
  /** Whether it is deleted again. A registry with soft delete keeps it. */
  deleted?: boolean;
  readEnabled?: boolean;
}

/** A manifest that refers to an image, its `subject`, such as a signature. */
export interface Referrer {
  subject: string;
  artifactType: string;
}

/** A private endpoint of a registry in the network of a cluster, both as `group/name`, with a private DNS zone in the registry's group. */
export interface PrivateEndpoint {
  registry: string;
  cluster: string;
  /** Whether it is not approved yet. */
  pending?: boolean;
  /**
   * Whether the zone is not linked to the cluster's network, so that nodes resolve the registry's public address. All registries of one
   * group share the zone: a linked endpoint of another one links it.
   */
  unlinked?: boolean;
  /**
   * A resource group with another zone of that name, which has the same records and is linked to the cluster's network instead, as the zone
   * of a hub is.
   */
  linkedZone?: string;
  /** Records that the zone lacks, such as `myregistry`. */
  missingRecords?: string[];
}

/** A registry outside Azure that restricts pulls or answers in its own way. */
export interface Upstream {
  host: string;
  /** Who may pull; everyone if it is empty. */
  users?: { name: string; password: string }[];
  /** How it asks for sign-in: not at all, with a token, with a username and password, or with either, in one header or in two. */
  challenge?: 'none' | 'token' | 'password' | 'both' | 'bothApart';
  /** The token endpoint that it names. */
  realm?: string;
  /** The digest that it reports for each manifest; `none` reports no digest. */
  digest?: string;
  /** The host that it redirects manifest requests to. */
  movedTo?: string;
  /** Whether it has no referrers API. */
  withoutReferrers?: boolean;
  /** Whether it throttles registries that fetch images from it without credentials. */
  throttlesAnonymous?: boolean;
}

/** A custom role definition. */
export interface Role {
  name: string;
  actions?: string[];
  dataActions?: string[];
  notActions?: string[];
  notDataActions?: string[];
  /** The scopes at which it can be assigned; by default every subscription. `{subscription}` is the ID of the first one. */
  assignableScopes?: string[];
}

/** An Entra group. */
export interface EntraGroup {
  name: string;
  /** Callers and other groups by name, a cluster's kubelet identity as `group/name`, or any principal by object ID. */
  members?: string[];
  /** Callers by name, who can add and remove its members without a permission. */
  owners?: string[];
  /** Without a scope: the first subscription. */
  roles?: { role: string; scope?: string }[];
}

/** A service principal that signs in. */
export interface Caller {
  name: string;
  /** Generated if left out. */
  secret?: string;
  /** `{subscription}` in a scope is the ID of the first subscription, which is also the default scope. */
  roles?: { role: string; scope?: string }[];
  /** Its Entra groups, by name; missing ones are created. */
  groups?: string[];
  /** Whether it may use Microsoft Graph. */
  directory?: boolean;
  /** Single permissions in Microsoft Graph, such as `GroupMember.ReadWrite.All`. */
  permissions?: string[];
}

/** The state at the start, in the form of the program's scene file. Unknown keys are rejected. */
export interface Scene {
  /** Subscriptions in addition to the first one. */
  subscriptions?: string[];
  /** Subscriptions of other tenants, which refuse the tokens of all callers. */
  foreignSubscriptions?: { id: string; tenant: string }[];
  /** The first caller, Owner of the subscription; `directory`: whether it may also use Microsoft Graph. */
  owner?: { secret?: string; directory?: boolean };
  groups?: Group[];
  registries?: Registry[];
  clusters?: Cluster[];
  privateEndpoints?: PrivateEndpoint[];
  images?: Image[];
  referrers?: Referrer[];
  upstreams?: Upstream[];
  roles?: Role[];
  callers?: Caller[];
  /** Entra groups, with members and roles. */
  entraGroups?: EntraGroup[];
  /** Resource providers that the first subscription has not registered, such as `Microsoft.ContainerRegistry`. */
  unregistered?: string[];
}

/** How an emulator starts. */
export interface EmulatorOptions {
  /**
   * The state at the start; by default a subscription, its owner, and images of Docker Hub (nginx, hello-world) and Microsoft to import.
   * A scene replaces all defaults: only the images it lists exist.
   */
  scene?: Scene;
  /** How long operations take: no time (the default), or about as long as in Azure. */
  timing?: 'none' | 'typical' | Times;
  /** How many times faster than real time the clock of grants, operations and rollouts runs. It does not shorten the clients' own waits. */
  clock?: number;
  /** The latency of each request, in milliseconds. */
  latencyMs?: number;
  /** Callers in addition to the scene's. */
  callers?: Caller[];
  /**
   * The folder of a control plane that `aks-acr-emulator build-kubernetes` has built, on Linux: each cluster has a real API server, controllers
   * and scheduler, and only its nodes are emulated. The clock is real then.
   */
  kubernetes?: string;
  /**
   * Whether nodes are real, too: kubelet, containerd and runc, built by `build-kubernetes --node`. They pull with their cluster's identity.
   * Needs `kubernetes`, and root.
   */
  node?: boolean;
}

/** How long operations take, in seconds; other values are the preset's. */
export interface Times {
  preset?: 'none' | 'typical';
  /** The latency of each request. */
  latency?: number;
  /** From a role assignment's creation until it has an effect. */
  propagation?: number;
  /** From a role assignment's deletion until it has no effect. */
  deletion?: number;
  /** How long lists of role assignments lag behind writes. */
  listing?: number;
  /** From adding a group member until new tokens contain the group. */
  membership?: number;
  /** How long a new principal is unknown to role assignments without `principalType`. */
  principal?: number;
  import?: number;
  /** The creation of a registry. */
  registry?: number;
  /** From a registry's creation date until nodes resolve its host name. */
  registryName?: number;
  /** From a request to a registry until its resource logs show it. */
  registryLogs?: number;
  registryDeletion?: number;
  /** An update of a cluster. */
  cluster?: number;
  clusterCreation?: number;
  clusterDeletion?: number;
  /** From the start of a cluster's creation until it shows its kubelet identity; at the end of the creation if that is sooner. */
  kubeletIdentity?: number;
  /** The registration of a resource provider. */
  registration?: number;
  /** A command that runs in a cluster. */
  command?: number;
  /** How long a node keeps using the credential that a registry issued. */
  nodeCredentials?: number;
  /** How long a node uses the same token of its identity, with the groups that it was issued with. */
  nodeTokens?: number;
  /** The average lifetime of Entra tokens; those of managed identities live for a day. */
  token?: number;
}

/** What a fault does, and to which requests. */
export interface FaultOptions {
  /** The HTTP method; any by default. */
  method?: string;
  /** The status of the response. */
  status?: number;
  headers?: Record<string, string>;
  /** The body of the response, instead of the default one. */
  body?: unknown;
  /** How many times; once by default. */
  times?: number;
  /** Whether the request takes effect first. */
  afterEffect?: boolean;
  /** Whether the connection is reset instead of a response. */
  reset?: boolean;
  delayMs?: number;
  /** Whether a proxy's HTML page is the response, with the status. */
  page?: boolean;
  /** The content type of the response, whatever its body is. */
  contentType?: string;
  /** Whether the connection ends in the middle of the response's body. */
  truncated?: boolean;
  /** Whether no response ever comes, while the connection stays open. */
  silent?: boolean;
  /** After how long the response's body stalls, while the connection stays open; a body with a length stalls halfway. */
  silentAfterMs?: number;
  /** How long the second half of the response's body takes. */
  slowMs?: number;
  /** Whether the request's token expires before the request, or after its effect. */
  expiredToken?: boolean;
  /** Whether a page of a list links to itself as the next one. */
  repeatedPage?: boolean;
}

/** A request and its result. */
export interface Request {
  readonly service: 'entra' | 'arm' | 'graph' | 'registry' | 'kubernetes' | 'unknown';
  /** In upper case. */
  readonly method: string;
  /** The host under Azure's own name, without port. */
  readonly host: string;
  readonly path: string;
  /** Decoded, without secrets. */
  readonly query: string;
  /** `null` if no response was sent: the connection was cut, the client gave up, or the request is still running. */
  readonly status: number | null;
  /** The name of the principal whose token was sent, if any. */
  readonly caller: string | null;
  /** The position of its start among all starts and ends. */
  readonly started: number;
  /** The position of its end in the same order; `null` if the client gave up or the request is still running. */
  readonly ended: number | null;
  /** The program under test, or a node of a cluster. */
  readonly sender: 'client' | 'node';
  /** Whether it is a write. */
  readonly write: boolean;
  /** The fault that hit it, in a word or two, if any. */
  readonly fault: string | null;
}

/** A summary of requests. Token requests and requests of nodes appear only in their own counts. */
export interface Summary {
  readonly count: number;
  /** The longest chain of requests that each started after the previous one had ended. */
  readonly depth: number;
  /** How many were writes. */
  readonly writes: number;
  /** How many requests went to Entra. */
  readonly tokens: number;
}

/** A token in the form of Azure's SDKs. */
export interface AccessToken {
  token: string;
  /** In milliseconds since 1970. */
  expiresOnTimestamp: number;
}

/** A caller's credential: a `TokenCredential` of `@azure/core-auth`. */
export interface Credential {
  /**
   * Requests a token from the emulator's Entra each time, without a cache.
   *
   * @throws {@link EmulatorError} `NoToken` if Entra refuses one.
   */
  getToken(scopes: string | string[], options?: object): Promise<AccessToken>;
}

/** The options of `new Client({ … })` of `aks-acr`, in addition to the credential and the subscription. */
export interface ClientOptions {
  cloud: { resourceManager: string; registrySuffix: string; graph: string };
  proxy: string;
  ca: string;
}

/** The options of a client of `@azure/arm-*`. */
export interface ArmOptions {
  endpoint: string;
  credentials: { scopes: string[] };
  tlsOptions: { ca: string };
}

/** The options of a credential of `@azure/identity`. */
export interface IdentityOptions {
  authorityHost: string;
  disableInstanceDiscovery: boolean;
  tlsOptions: { ca: string };
}

/**
 * An emulated Azure behind TLS on loopback, in this process, until it is stopped. It does not keep the process alive.
 * Its log and its state can still be read after it has stopped.
 *
 * ```js
 * const azure = await Emulator.start({ scene: { registries: [{ group: 'group', name: 'myregistry' }] } });
 * await azure.stop();
 * ```
 */
export declare class Emulator {
  private constructor();

  /**
   * Starts an emulator. It accepts clients once the promise is fulfilled.
   *
   * @throws {@link EmulatorError} `Invalid` if an option or the scene has an unknown key or word; the message names it.
   */
  static start(options?: EmulatorOptions): Promise<Emulator>;

  /** Stops it and removes its certificate file. A second call does nothing. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;

  /** The id of the first subscription. */
  readonly subscriptionId: string;
  /** The id of the tenant. */
  readonly tenantId: string;
  /** Resource Manager, Entra and Graph in one: `https://localhost:PORT`. */
  readonly origin: string;
  /** The URL of a proxy that reaches every emulated host under its own name: `http://127.0.0.1:PORT`. */
  readonly proxy: string;
  /** The certificate that clients must trust, as PEM text. */
  readonly ca: string;
  /** The path of a file with that certificate, removed when the emulator stops. */
  readonly caFile: string;
  /** The client id of the owner. */
  readonly clientId: string;
  /** The secret of the owner. */
  readonly clientSecret: string;
  /** The environment variables with which other programs (az, kubectl, the SDKs) find the emulator, trust it and sign in. */
  readonly environment: Readonly<Record<string, string>>;

  /** Client ID and secret of a caller, for another credential type. @throws `Missing` */
  clientOf(caller: string): { clientId: string; clientSecret: string };
  /** The credential of a caller; by default of the owner. @throws `Missing` if the caller does not exist. */
  credential(caller?: string): Credential;
  /** For `aks-acr`: `new Client({ credential, subscriptionId, ...azure.clientOptions() })`. */
  clientOptions(): ClientOptions;
  /** For `@azure/arm-*`: `new ContainerRegistryManagementClient(credential, subscriptionId, azure.armOptions())`. */
  armOptions(): ArmOptions;
  /** For `@azure/identity`: `new ClientSecretCredential(tenantId, clientId, clientSecret, azure.identityOptions())`. */
  identityOptions(): IdentityOptions;

  /** The current end of the log. */
  mark(): number;
  /** All requests in the order in which they started, or those since a mark. */
  requests(options?: { since?: number }): Request[];
  /** The number, depth and writes of all requests, or of those since a mark. */
  summary(options?: { since?: number }): Summary;
  /** The whole state, without secrets, in the form of the control endpoint. */
  state(): Record<string, any>;
  /** The resource id of a registry. If it does not exist: the ID that it would have in the first subscription. */
  registryId(group: string, name: string): string;
  /** The resource id of a cluster. If it does not exist: the ID that it would have in the first subscription. */
  clusterId(group: string, name: string): string;
  /** The object ID of a cluster's kubelet identity. @throws `Missing` */
  kubeletObjectId(group: string, cluster: string): string;
  /** The object id of a caller. @throws `Missing` */
  objectId(caller: string): string;
  /** The digest of a tag, if it exists. */
  digest(image: string): string | undefined;

  /** Adds a fault for requests whose URL contains this part. Several faults hit in the order in which they were added. */
  fault(part: string, options?: FaultOptions): void;
  /** Makes a share of all requests, from 0 (none) to 1, fail at random: the same faults for the same seed. */
  storm(share: number, options?: { seed?: number }): void;
  /** Turns Azure's published request limits of Resource Manager and registries on or off. */
  throttle(asAzure?: boolean): void;
  /** Sets how long operations take from now on, in seconds. */
  timing(times: Times): void;
  timing(preset: 'none' | 'typical', times?: Omit<Times, 'preset'>): void;
  /** Turns the clock forward. What is due by then happens immediately. */
  advance(seconds: number): void;
  /** Makes the clock run this many times faster than real time. Latency and the delays of faults do not change. */
  clock(times: number): void;
  /** Splits lists into pages, or makes each start with an empty page that links to the next. */
  paging(options: { size?: number; emptyFirst?: boolean }): void;
  /**
   * Grants a role (by name or GUID) to a caller by name, or to a principal by object ID, as if long ago. A cluster's kubelet identity can
   * be named as `group/cluster`.
   *
   * @returns The name of the assignment.
   * @throws {@link EmulatorError} `Missing` if the role or caller does not exist, `Invalid` if the condition is not supported.
   */
  grant(role: string, scope: string, options: { caller?: string; principal?: string; condition?: string }): string;
  /** Removes a role assignment by name, with immediate effect. @throws `Missing` */
  revoke(name: string): void;
  /**
   * Adds a member to an Entra group and creates the group if needed. A member is a caller or another group by name, a cluster's
   * kubelet identity as `group/cluster`, or any principal by object ID. @returns The group's object ID. @throws `Missing`
   */
  addMember(group: string, member: string): string;
  /** Removes a member from an Entra group. @throws `Missing` */
  removeMember(group: string, member: string): void;
  /**
   * Assigns a policy with the effect `deny` to a scope: no resource of this type can be created or changed there, such as
   * `Microsoft.ContainerRegistry/registries`.
   */
  policy(name: string, resourceType: string, scope: string): void;
  /** Limits what a region has for nodes: cores by family (such as `standardDSv5Family`), VM sizes, zones, room for clusters. */
  capacity(
    region: string,
    options?: { cores?: Record<string, number>; withoutSizes?: string[]; zones?: boolean; full?: boolean },
  ): void;
  /** Adds a subnet with this range of addresses, in a virtual network that is created with it. */
  subnet(group: string, network: string, name: string, prefix: string): void;
  /**
   * Denies actions, such as `Microsoft.Authorization/roleAssignments/write`, at a scope for everyone except these callers, whatever
   * their roles. @throws `Missing` if the caller does not exist.
   */
  denyAssignment(name: string, actions: string[], scope: string, options?: { butFor?: string[] }): void;
  /**
   * Makes conditional access refuse tokens to a caller, or issue them again. Issued tokens stay valid until they expire.
   * @throws `Missing` if the caller does not exist.
   */
  signIn(caller: string, options: { blocked: boolean }): void;
  /**
   * Lets a caller (`owner` by default) sign in with assertions of this issuer for this subject, as with a federated
   * credential. @throws `Missing` if the caller does not exist.
   */
  federate(issuer: string, subject: string, options?: { caller?: string }): void;
  /**
   * An assertion that this issuer signs for this subject: a cluster for a service account, GitHub for a workflow. The emulator
   * signs for every issuer. It is valid for an hour, or for `seconds`. @throws `Invalid`
   */
  federatedToken(issuer: string, subject: string, options?: { seconds?: number }): string;
  /** Adds an image for these platforms, or moves its tag to a new one. @returns Its digest. */
  pushImage(name: string, options?: { platforms?: string[] } | string[]): string;
  /** Removes a tag. @throws `Missing` */
  deleteImage(name: string): void;
  /** Adds a node to a cluster; by default one of linux/amd64. @throws `Missing` if the cluster does not exist. */
  node(group: string, cluster: string, name: string, options?: { os?: string; architecture?: string }): void;
  /**
   * Makes a firewall drop what a cluster's nodes send to the public address of a host, or let it through again. A host may begin with `*.`, as
   * in `*.blob.core.windows.net`, which serves layers. @throws `Missing` if the cluster does not exist.
   */
  egress(group: string, cluster: string, host: string, options: { allowed: boolean }): void;
  /**
   * Makes a firewall inspect TLS from a cluster's nodes to the public address of a host, or let it through as it is. Nodes do not trust the
   * firewall's certificates. A host may begin with `*.`, as in `*.azurecr.io`. @throws `Missing` if the cluster does not exist.
   */
  inspection(group: string, cluster: string, host: string, options: { inspected: boolean }): void;
  /**
   * Makes the store of a node lose the manifest of an image, as after a power failure. Each pull of it fails there until the node is created
   * anew. @throws `Missing` if the node or the image does not exist.
   */
  loseContent(group: string, cluster: string, node: string, image: string): void;
  /** Takes a registry's customer-managed key away, or gives it back. @throws `Missing` if the registry does not exist. */
  key(group: string, registry: string, options: { accessible: boolean }): void;
  /**
   * Lets others with an identity use its limit at a registry, for some time. Azure's limits are enforced from then on. The identity is an
   * object ID, or a cluster's kubelet identity as `group/cluster`. @throws `Missing` if the registry does not exist.
   */
  load(group: string, registry: string, principal: string, options: { readsPerMinute: number; seconds: number }): void;
  /**
   * Leaves so much room on the disks of a pool's nodes. @throws `Missing` if the cluster has no such pool.
   */
  disk(group: string, cluster: string, pool: string, bytes: number): void;
}
