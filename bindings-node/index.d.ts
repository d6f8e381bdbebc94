/**
 * Joins Azure Container Registry (ACR) to Azure Kubernetes Service (AKS).
 *
 * Every operation can be run twice: the second time it changes nothing and succeeds. Every result is a frozen object.
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
  getToken(scopes: string[], options?: object): Promise<AccessToken | null>;
}

/** A token, and when it ends: in milliseconds since 1970. */
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
}

/** What a client is made of. */
export interface ClientSettings {
  /** As whom. */
  credential: TokenCredential;
  /** The subscription in which names are looked up. */
  subscriptionId: string;
  /** The cloud. `'public'` by default. */
  cloud?: CloudName | CustomCloud;
  /** Address of a proxy, such as `http://proxy.example:3128`. By default the environment's `HTTPS_PROXY`. */
  proxy?: string;
  /** Certificates, as PEM text, that are trusted besides those of the system. */
  ca?: string;
}

/** What every call can be told. */
export interface CallOptions {
  /** How long the whole call may take, in milliseconds. Each operation states its own default; `Infinity` is no deadline. */
  deadlineMs?: number;
  /**
   * Cancels the call: it is rejected with `code: 'cancelled'`, and the signal's reason as `cause`. What Azure has begun goes on.
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
 * Joins registries and clusters of one subscription, as one caller. It holds no connection that keeps Node from exiting.
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
   * const run = client.follow.rollOut('my-group/my-cluster', 'web');
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
   * and never the cluster.
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
   * console.log(String(plan)); // + AcrPull for 0af18ead-… on myregistry
   * const text = JSON.stringify(plan); // to be stored, and read in any of the languages
   * await client.applyAttach(JSON.parse(text));
   * ```
   */
  planAttach(cluster: string, registry: string, options?: AttachOptions): Promise<AttachPlan>;

  /**
   * Does what a plan says, after another look: where something else would be done by now, nothing is written. Give the options that
   * the plan was made with. A plan is good for an hour.
   *
   * Deadline: 5 minutes by default. Errors: those of `attach`; `'conflict'` if the plan has expired or no longer fits;
   * `'invalid_input'` if it is of another version.
   */
  applyAttach(plan: AttachPlan | StoredAttachPlan, options?: AttachOptions): Promise<Attachment>;

  /**
   * Finds a registry. `null` if there is none.
   *
   * Deadline: 2 minutes by default. Errors: `'forbidden'`; `'invalid_input'` for the login server of another cloud.
   */
  registry(registry: string, options?: CallOptions): Promise<Registry | null>;

  /**
   * Makes a registry, unless there is one of that name in the group: that one is left as it is.
   *
   * Deadline: 10 minutes by default. Errors: `'invalid_input'` for a name that cannot be one; `'conflict'` if the name is taken
   * elsewhere in the cloud; `'not_found'` if there is no such group; `'forbidden'`; `'operation_failed'` if Azure could not.
   */
  createRegistry(group: string, name: string, options?: CreateRegistryOptions): Promise<CreatedRegistry>;

  /**
   * Copies an image into a registry: Azure does it, and what arrived is compared with the source. A second run with an equal image
   * copies nothing and succeeds.
   *
   * Deadline: 30 minutes by default. Errors: `'invalid_input'` for a target that cannot be one or a source in another cloud;
   * `'not_found'` if the registry or the source does not exist; `'conflict'` if the tag has another image; `'forbidden'` if the caller
   * may not import or the source may not be read; `'rate_limited'` if the source throttles; `'operation_failed'` if Azure could
   * not copy it.
   *
   * @example
   * ```js
   * const done = await client.importImage('myregistry', 'nginx', { target: 'nginx:v1', onProgress: (event) => console.log(String(event)) });
   * if (done.proof.kind === 'source_matched') console.log(done.proof.digest);
   * ```
   */
  importImage(registry: string, source: string, options?: ImportOptions): Promise<Import>;

  /**
   * A cluster's kubeconfig, as a value: no file is written and no program is started.
   *
   * Deadline: 2 minutes by default. Errors: `'not_found'`, `'forbidden'`; `'invalid_input'` for `access: 'admin'` where local accounts
   * are switched off.
   */
  kubeconfig(cluster: string, options?: KubeconfigOptions): Promise<Kubeconfig>;

  /**
   * Makes a cluster's objects what manifests say, by server-side apply. `manifests` is YAML with any number of documents, or JSON.
   *
   * In the fields that name images, the host `<acr-name>.azurecr.io` becomes the login server of the registry in the options.
   *
   * Deadline: 5 minutes by default. Errors: `'invalid_input'`, before the first request, for manifests that are none, and from
   * Kubernetes for an object that it refuses; `'not_found'` for a kind that the cluster does not know, or an absent cluster or
   * registry; `'conflict'` for a field that another field manager owns; `'forbidden'`.
   */
  apply(cluster: string, manifests: string, options?: ApplyOptions): Promise<readonly Applied[]>;

  /**
   * Waits until every replica of a deployment runs. A cause that does not pass ends it at once, and is told.
   *
   * Deadline: 15 minutes by default. Errors: `'pull_failed'` if an image cannot be pulled and waiting does not help, with
   * `pullFailure`; `'deadline_exceeded'` with how far it was; `'operation_failed'` if Kubernetes gives the roll-out up;
   * `'not_found'` if there is no such deployment.
   */
  rollOut(cluster: string, deployment: string, options?: RollOutOptions): Promise<RollOut>;

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
 * A call that was begun. Iterating it gives its events, to one reader; the iteration ends with the call, and throws the call's error.
 * Leaving it early cancels the call.
 */
export interface Run<Result> extends AsyncIterable<Event> {
  /** The call's result. */
  readonly result: Promise<Result>;
}

// ----------------------------------------------------------------------------------------------------------------------- errors

/** What a caller can do about an error. More may come. */
export type ErrorKind =
  /** The input is wrong; the message names the part. */
  | 'invalid_input'
  /** What was named does not exist. */
  | 'not_found'
  /** Something else is already there, or changed meanwhile. */
  | 'conflict'
  /** The caller is known and may not do this; see `missingAction`, `scope` and `smallestRole`. */
  | 'forbidden'
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
  /** Pods of a roll-out cannot pull their image, for a cause that does not pass; see `pullFailure`. */
  | 'pull_failed'
  /** This build, or this service, cannot do it; the message says what to change. */
  | 'unsupported'
  /** The service's answer was not understood. */
  | 'unexpected';

/** What went wrong: the message is for people, the fields are for programs. No token or key is in any of them. */
export declare class AksAcrError extends Error {
  private constructor();
  readonly name: 'AksAcrError';
  /** The kind. */
  readonly code: ErrorKind;
  /** The HTTP status of the service's answer. */
  readonly status?: number;
  /** The service's own code, such as `AuthorizationFailed`. */
  readonly serviceCode?: string;
  /** `x-ms-request-id` of the service's answer. */
  readonly requestId?: string;
  /** `x-ms-correlation-request-id` of the service's answer, by which Azure's activity log knows it. */
  readonly correlationId?: string;
  /** The action that the caller lacks, such as `Microsoft.Authorization/roleAssignments/write`. */
  readonly missingAction?: string;
  /** Where the caller lacks it: a resource id. */
  readonly scope?: string;
  /** The smallest built-in role that has it. */
  readonly smallestRole?: string;
  /** How long the service asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Why pods cannot pull their image. */
  readonly pullFailure?: PullFailure;
  /** What the credential threw, or the reason of the signal that was aborted. */
  readonly cause?: unknown;
}

// --------------------------------------------------------------------------------------------------------------------- progress

/** A step of a call that is under way. `String(event)` is a line for people. More kinds may come. */
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
      /** The number of ready pods of a roll-out changed, or what keeps them from it. */
      readonly kind: 'rolling_out';
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
   * has one.
   */
  principal?: string;
  /**
   * Narrows the grant, in the language of Azure's attribute-based access control. Only for registries whose permissions are on
   * repositories: elsewhere it would have no effect, and is refused.
   */
  condition?: string;
  /** What is done where a scope above the registry gives the role already. By default that is enough. */
  inherited?: 'suffices' | 'grant_directly';
  /**
   * What is done where the role is there with another condition. By default it is left as it is, and the outcome says so; to replace
   * it may widen the grant.
   */
  otherCondition?: 'keep' | 'replace';
  /** For how long a refusal is tried again, in milliseconds. Not at all by default; rights that were just activated need it. */
  retryRefusedMs?: number;
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
  readonly scope: string;
  /** Id of the role assignment. `null` where one exists that the caller may not read. */
  readonly assignmentId: string | null;
  /** What narrows the grant. */
  readonly condition: string | null;
  /** `x-ms-correlation-request-id` of the write, by which Azure's activity log knows it. `null` where nothing was written. */
  readonly correlationId: string | null;
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
      /** The role is there with another condition, which was left as it is: nothing was written. */
      readonly kind: 'condition_differs';
      /** The condition that is there. `null`: the role is there without any, and so is wider than was asked. */
      readonly existing: string | null;
    };

/**
 * What attach would do. `String(plan)` is a line for people. `JSON.stringify(plan)` is the form that is stored, the same in every
 * language; `JSON.parse` of it goes to `applyAttach`.
 */
export interface AttachPlan {
  /** The form of this plan. */
  readonly version: number;
  /** After this it is refused. */
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
  /** On what its permissions are. */
  readonly mode: RoleAssignmentMode;
  /** The service's word for its state, such as `Succeeded`. */
  readonly state: string;
}

/** On what a registry's permissions are: on the whole of it, or on repositories. */
export type RoleAssignmentMode = 'LegacyRegistryPermissions' | 'AbacRepositoryPermissions';

/** How a registry is made. */
export interface CreateRegistryOptions extends CallOptions {
  /** The region. By default that of the resource group. */
  location?: string;
  /** The service tier. `'Basic'` by default. */
  sku?: 'Basic' | 'Standard' | 'Premium';
  /** On what its permissions are. On the whole registry by default. */
  mode?: RoleAssignmentMode;
}

/** The registry, and whether this call made it. */
export interface CreatedRegistry {
  readonly registry: Registry;
  /** `false`: it was there, and was left as it is, also where it differs from what was asked. */
  readonly isNew: boolean;
}

// ----------------------------------------------------------------------------------------------------------------------- import

/** How an image is imported. */
export interface ImportOptions extends CallOptions {
  /** `repository:tag` in the target registry. By default the source's. */
  target?: string;
  /** What happens to a tag that exists. Kept by default: an equal image is success, another is `'conflict'`. */
  existing?: 'keep' | 'replace';
}

/** An image that is in the registry now. */
export interface Import {
  /** The source, completed as Docker completes it. */
  readonly source: string;
  /** The image in the registry. */
  readonly target: string;
  /** `false`: an equal image was there, and nothing was copied. */
  readonly isNew: boolean;
  /** How sure it is that the two are the same. */
  readonly proof: ImportProof;
}

/** How sure it is that an imported image is its source. */
export type ImportProof =
  | {
      /** The target's digest equals the one that the source had before the import. */
      readonly kind: 'source_matched';
      readonly digest: string;
    }
  | {
      /** The target's digest is known, the source's is not. */
      readonly kind: 'target_only';
      readonly digest: string;
      /** Why the source could not be looked at. */
      readonly reason: string;
    }
  | {
      /** Azure says that the import succeeded; the target could not be looked at. */
      readonly kind: 'unproven';
      /** Why not. */
      readonly reason: string;
    };

// --------------------------------------------------------------------------------------------------------------------- clusters

/** How a kubeconfig is asked for. */
export interface KubeconfigOptions extends CallOptions {
  /**
   * As whom the cluster is entered: `'user'` by default, on a cluster with Entra oneself; `'admin'` with the certificate of the
   * cluster's administrator, past Entra.
   */
  access?: 'user' | 'admin';
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
  /** Whether it was not there before. */
  readonly isNew: boolean;
}

/** How a roll-out is waited for. */
export interface RollOutOptions extends CallOptions {
  /** The deployment's namespace; `'default'` by default. */
  namespace?: string;
  /** How long a grant that is there may take to become effective, in milliseconds; 10 minutes by default. */
  propagationMs?: number;
}

/** A deployment that runs as its specification says. */
export interface RollOut {
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
