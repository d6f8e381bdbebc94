/// <reference lib="esnext.disposable" />

/** The version of this package. */
export declare const version: string;

/** Something that the emulator refuses. */
export declare class EmulatorError extends Error {
  private constructor();
  readonly name: 'EmulatorError';
  /**
   * What went wrong: what was said is not understood (`Invalid`), or names what is not there (`Missing`); Entra gave no
   * token (`NoToken`); this machine is in the way (`System`).
   */
  readonly code: 'Invalid' | 'Missing' | 'NoToken' | 'System';
}

/** A resource group. Those of registries and clusters come to be by them. */
export interface Group {
  name: string;
  location?: string;
}

/** A registry. */
export interface Registry {
  group: string;
  name: string;
  subscription?: string;
  location?: string;
  sku?: string;
  loginServer?: string;
  /** Whether repositories and conditions are looked at. */
  abac?: boolean;
  /** In the words of Azure. */
  properties?: Record<string, unknown>;
}

/** A node of a cluster. */
export interface Node {
  name: string;
  os?: string;
  architecture?: string;
}

/** A cluster, by default with two nodes of linux/amd64. */
export interface Cluster {
  group: string;
  name: string;
  subscription?: string;
  location?: string;
  version?: string;
  entra?: boolean;
  azureRbac?: boolean;
  localAccountsDisabled?: boolean;
  servicePrincipal?: boolean;
  userAssigned?: boolean;
  adminGroups?: string[];
  nodes?: Node[];
  /** In the words of Azure. */
  properties?: Record<string, unknown>;
}

/** An image, by the name that a pod has for it. */
export interface Image {
  name: string;
  /** By default `linux/amd64` and `linux/arm64`. */
  platforms?: string[];
}

/** A registry outside of Azure that does not let everybody pull, or answers in ways of its own. */
export interface Upstream {
  host: string;
  /** Who may pull; nobody named: everybody. */
  users?: { name: string; password: string }[];
  /** How it asks to sign in: not at all, for a token, for a name and a password, or for either in one header or in two. */
  challenge?: 'none' | 'token' | 'password' | 'both' | 'bothApart';
  /** Where it says that tokens come from. */
  realm?: string;
  /** What it names as each manifest's digest; `none` for nothing. */
  digest?: string;
  /** The host that it sends to for manifests. */
  movedTo?: string;
}

/** A role definition of one's own. */
export interface Role {
  name: string;
  actions?: string[];
  dataActions?: string[];
  notActions?: string[];
  notDataActions?: string[];
  /** Where it can be assigned, and exists; by default in every subscription. `{subscription}` stands for the id of the first one. */
  assignableScopes?: string[];
}

/** A group of the directory. */
export interface EntraGroup {
  name: string;
  /** Callers and other groups by their names, clusters (whose kubelet identity is meant) as `group/name`, anybody by object id. */
  members?: string[];
  /** Without a scope, the first subscription is meant. */
  roles?: { role: string; scope?: string }[];
}

/** Somebody who signs in. */
export interface Caller {
  name: string;
  /** Made up where it is left out. */
  secret?: string;
  /** `{subscription}` in a scope stands for the id of the first one; without a scope, that is meant. */
  roles?: { role: string; scope?: string }[];
  /** Groups, by name, that come to be by it. */
  groups?: string[];
  /** Whether it may use Microsoft Graph. */
  directory?: boolean;
}

/** What there is at the start, in the words of the program's seed file. Nothing else may be said. */
export interface Scene {
  /** More subscriptions than the one that there always is. */
  subscriptions?: string[];
  /** The caller that there always is, who owns the subscription; `directory`: whether it may use Microsoft Graph too. */
  owner?: { secret?: string; directory?: boolean };
  groups?: Group[];
  registries?: Registry[];
  clusters?: Cluster[];
  images?: Image[];
  upstreams?: Upstream[];
  roles?: Role[];
  callers?: Caller[];
  /** Groups of the directory, with members and with roles. */
  entraGroups?: EntraGroup[];
  /** Resource providers that the first subscription has not registered, such as `Microsoft.ContainerRegistry`. */
  unregistered?: string[];
}

/** How an emulator starts. */
export interface EmulatorOptions {
  /** What there is; by default a subscription, its owner, and images of Docker Hub and of Microsoft to import. */
  scene?: Scene;
  /** How long things take: no time, which is the default, or about what Azure takes. */
  timing?: 'none' | 'typical' | Times;
  /** How many times faster than real the clock runs that grants, operations and rollouts go by. */
  clock?: number;
  /** What passes before any request is looked at, in milliseconds. */
  latencyMs?: number;
  /** More callers than the scene has. */
  callers?: Caller[];
}

/** How long things take, in seconds; what is not named is the preset's. */
export interface Times {
  preset?: 'none' | 'typical';
  /** What passes before any request is looked at. */
  latency?: number;
  /** From a role assignment's creation until it has an effect. */
  propagation?: number;
  /** From a role assignment's deletion until it has lost its effect. */
  deletion?: number;
  /** How long lists of role assignments lag behind what is written. */
  listing?: number;
  /** From the moment somebody is put into a group until new tokens say so. */
  membership?: number;
  /** How long a principal just made is unknown to role assignments without `principalType`. */
  principal?: number;
  import?: number;
  /** The creation of a registry. */
  registry?: number;
  /** An update of a cluster. */
  cluster?: number;
  clusterCreation?: number;
  clusterDeletion?: number;
  /** From the beginning of a cluster's creation until it shows the identity that its nodes pull with; at the end, if that is sooner. */
  kubeletIdentity?: number;
  /** The registration of a resource provider. */
  registration?: number;
  /** A command run inside a cluster. */
  command?: number;
  /** How long a node goes on using the credential that a registry gave it. */
  nodeCredentials?: number;
  /** How long a token of Entra is good for. */
  token?: number;
}

/** Trouble to come. */
export interface FaultOptions {
  /** The method, or any. */
  method?: string;
  /** The status of the answer. */
  status?: number;
  headers?: Record<string, string>;
  /** The body of the answer, where it is not to be the usual one. */
  body?: unknown;
  /** How often; once where it is left out. */
  times?: number;
  /** Whether what was asked for is done before. */
  afterEffect?: boolean;
  /** Whether the connection is cut instead of an answer. */
  reset?: boolean;
  delayMs?: number;
  /** Whether a proxy's page in HTML comes instead of an answer, with the status. */
  page?: boolean;
  /** What the answer says that it is, whatever it holds. */
  contentType?: string;
  /** Whether the connection ends in the middle of the answer's body. */
  truncated?: boolean;
  /** Whether no answer ever comes, and the connection stays open. */
  silent?: boolean;
  /** After how long nothing more of the answer's body comes, while the connection stays open; a body with a length stops halfway. */
  silentAfterMs?: number;
  /** How long the second half of the answer's body takes. */
  slowMs?: number;
  /** Whether the token that the request brings expires before it, or after its effect. */
  expiredToken?: boolean;
  /** Whether a page of a list names itself as the next one. */
  repeatedPage?: boolean;
}

/** One request and what became of it. */
export interface Request {
  readonly service: 'entra' | 'arm' | 'graph' | 'registry' | 'kubernetes' | 'unknown';
  /** In capitals. */
  readonly method: string;
  /** The host under Azure's own name, without port. */
  readonly host: string;
  readonly path: string;
  /** Decoded, without what is a secret. */
  readonly query: string;
  /** `null` when no answer came: cut off, given up, or still under way. */
  readonly status: number | null;
  /** The name of the principal whose token came along, where one did. */
  readonly caller: string | null;
  /** The place of its start in the order of all starts and ends. */
  readonly started: number;
  /** The place of its end in the same order; `null` when it was given up or is still under way. */
  readonly ended: number | null;
  /** The program under test, or a node of a cluster. */
  readonly sender: 'client' | 'node';
  /** Whether it asks for a change. */
  readonly write: boolean;
  /** The fault that it met, in a word or two, where it met one. */
  readonly fault: string | null;
}

/** What a number of requests come to. Tokens and what nodes sent are left out of all but their own counts. */
export interface Summary {
  readonly count: number;
  /** The longest chain in which each started after the one before had ended. */
  readonly depth: number;
  /** How many asked for a change. */
  readonly writes: number;
  /** How many requests went to Entra. */
  readonly tokens: number;
}

/** A token, as Azure's SDKs take it. */
export interface AccessToken {
  token: string;
  /** In milliseconds since 1970. */
  expiresOnTimestamp: number;
}

/** A caller's credential: a `TokenCredential` of `@azure/core-auth`. */
export interface Credential {
  /**
   * Asks the emulator's Entra for a token, each time anew.
   *
   * @throws {@link EmulatorError} `NoToken` if Entra gives none.
   */
  getToken(scopes: string | string[], options?: object): Promise<AccessToken>;
}

/** What `new Client({ … })` of `aks-acr` has to be told beside the credential and the subscription. */
export interface ClientOptions {
  cloud: { resourceManager: string; registrySuffix: string; graph: string };
  proxy: string;
  ca: string;
}

/** What a client of `@azure/arm-*` has to be told. */
export interface ArmOptions {
  endpoint: string;
  credentials: { scopes: string[] };
  tlsOptions: { ca: string };
}

/** What a credential of `@azure/identity` has to be told. */
export interface IdentityOptions {
  authorityHost: string;
  disableInstanceDiscovery: boolean;
  tlsOptions: { ca: string };
}

/**
 * An Azure of its own, behind TLS on loopback, that lives in this process until it is stopped; a process that forgets to
 * stop it ends all the same. After it has stopped, its log and its state can still be read.
 *
 * ```js
 * const azure = await Emulator.start({ scene: { registries: [{ group: 'group', name: 'myregistry' }] } });
 * await azure.stop();
 * ```
 */
export declare class Emulator {
  private constructor();

  /**
   * Starts one. When the promise is fulfilled, clients may come.
   *
   * @throws {@link EmulatorError} `Invalid` if an option or the scene has a word that is not known, which the message names.
   */
  static start(options?: EmulatorOptions): Promise<Emulator>;

  /** Ends it, and removes the file of its certificate. The second time it does nothing. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;

  /** The id of the first subscription. */
  readonly subscriptionId: string;
  /** The id of the tenant. */
  readonly tenantId: string;
  /** Resource Manager, Entra and Graph in one: `https://localhost:PORT`. */
  readonly origin: string;
  /** The proxy behind which every emulated host answers under its own name: `http://127.0.0.1:PORT`. */
  readonly proxy: string;
  /** The certificate that clients have to trust, as PEM text. */
  readonly ca: string;
  /** The path of a file with that certificate, which goes when the emulator stops. */
  readonly caFile: string;
  /** The client id of the owner. */
  readonly clientId: string;
  /** The secret of the owner. */
  readonly clientSecret: string;
  /** The variables by which other programs (az, kubectl, the SDKs) find the emulator, trust it, and sign in. */
  readonly environment: Readonly<Record<string, string>>;

  /** Client id and secret of a caller, for a credential of another make. @throws `Missing` */
  clientOf(caller: string): { clientId: string; clientSecret: string };
  /** The credential of a caller; by default of the owner. @throws `Missing` if there is no such caller. */
  credential(caller?: string): Credential;
  /** For `aks-acr`: `new Client({ credential, subscriptionId, ...azure.clientOptions() })`. */
  clientOptions(): ClientOptions;
  /** For `@azure/arm-*`: `new ContainerRegistryManagementClient(credential, subscriptionId, azure.armOptions())`. */
  armOptions(): ArmOptions;
  /** For `@azure/identity`: `new ClientSecretCredential(tenantId, clientId, clientSecret, azure.identityOptions())`. */
  identityOptions(): IdentityOptions;

  /** The present end of the log. */
  mark(): number;
  /** All requests in the order in which they started, or those since a mark. */
  requests(options?: { since?: number }): Request[];
  /** How many requests there were, how deep, how many writes; or those since a mark. */
  summary(options?: { since?: number }): Summary;
  /** Everything there is, without secrets, in the form of the control endpoint. */
  state(): Record<string, any>;
  /** The resource id of a registry; of one that does not exist, the id that it would have in the first subscription. */
  registryId(group: string, name: string): string;
  /** The resource id of a cluster; of one that does not exist, the id that it would have in the first subscription. */
  clusterId(group: string, name: string): string;
  /** The object id of the identity that a cluster's nodes pull with. @throws `Missing` */
  kubeletObjectId(group: string, cluster: string): string;
  /** The object id of a caller. @throws `Missing` */
  objectId(caller: string): string;
  /** The digest that a tag stands for, where there is one. */
  digest(image: string): string | undefined;

  /** Lets requests whose address has this part meet trouble; several are met in the order in which they came. */
  fault(part: string, options?: FaultOptions): void;
  /** Lets a share of all requests, from 0 (which ends it) to 1, meet faults by chance: the same ones for the same seed. */
  storm(share: number, options?: { seed?: number }): void;
  /** Lets the numbers that Azure publishes be limits of requests to Resource Manager and to registries, or no more. */
  throttle(asAzure?: boolean): void;
  /** Sets how long things take from now on, in seconds. */
  timing(times: Times): void;
  timing(preset: 'none' | 'typical', times?: Omit<Times, 'preset'>): void;
  /** Puts the clock forward: what was to happen until then happens at once. */
  advance(seconds: number): void;
  /** Lets the clock run so many times faster than real. Latency and the delays of faults stay what they are. */
  clock(times: number): void;
  /** Cuts lists into pages, or lets each begin with a page that has no items but a link to the next. */
  paging(options: { size?: number; emptyFirst?: boolean }): void;
  /**
   * Grants a role (by name or GUID) to a caller by name, or to a principal by object id, as if it had been so for long.
   *
   * @returns The name of the assignment.
   * @throws {@link EmulatorError} `Missing` if there is no such role or caller, `Invalid` if the condition is not understood.
   */
  grant(role: string, scope: string, options: { caller?: string; principal?: string; condition?: string }): string;
  /** Takes a role assignment away by its name, at once. @throws `Missing` */
  revoke(name: string): void;
  /**
   * Puts somebody into a group of the directory, which comes to be by it: a caller or another group by name, a cluster's kubelet
   * identity as `group/cluster`, or anybody by object id. Gives the group's object id. @throws `Missing`
   */
  addMember(group: string, member: string): string;
  /** Takes somebody out of a group of the directory. @throws `Missing` */
  removeMember(group: string, member: string): void;
  /**
   * Assigns a policy with the effect `deny` to a scope: no resource of this type is made or changed there, such as
   * `Microsoft.ContainerRegistry/registries`.
   */
  policy(name: string, resourceType: string, scope: string): void;
  /**
   * Denies actions, such as `Microsoft.Authorization/roleAssignments/write`, at a scope to everybody but these callers, whatever their
   * roles. @throws `Missing` if there is no such caller.
   */
  denyAssignment(name: string, actions: string[], scope: string, options?: { butFor?: string[] }): void;
  /**
   * Lets conditional access give a caller no tokens, or give them again. Tokens that were given are good until they end.
   * @throws `Missing` if there is no such caller.
   */
  signIn(caller: string, options: { blocked: boolean }): void;
  /**
   * Lets a caller (`owner` where none is named) sign in with assertions of this issuer for this subject, as a federated
   * credential does. @throws `Missing` if there is no such caller.
   */
  federate(issuer: string, subject: string, options?: { caller?: string }): void;
  /**
   * An assertion as this issuer makes it for this subject: a cluster for a service account, GitHub for a workflow. The emulator
   * is every issuer itself. It is good for an hour, or for `seconds`. @throws `Invalid`
   */
  federatedToken(issuer: string, subject: string, options?: { seconds?: number }): string;
  /** Adds an image, or moves a tag to a new one made for these platforms. @returns Its digest. */
  pushImage(name: string, options?: { platforms?: string[] } | string[]): string;
  /** Removes a tag. @throws `Missing` */
  deleteImage(name: string): void;
  /** Lets a node join a cluster; by default one of linux/amd64. @throws `Missing` if there is no such cluster. */
  node(group: string, cluster: string, name: string, options?: { os?: string; architecture?: string }): void;
}
