// What the compiler has to make of the package. Nothing here is run.
import type { TokenCredential } from '@azure/core-auth';
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry';
import { ClientSecretCredential } from '@azure/identity';
import { Emulator, EmulatorError, type Request, type Scene } from 'aks-acr-emulator';

const scene: Scene = { registries: [{ group: 'group', name: 'myregistry', abac: true }] };
await using azure = await Emulator.start({ scene, timing: 'typical', clock: 60, latencyMs: 5, node: false, callers: [{ name: 'ci' }] });
const credential: TokenCredential = azure.credential();
const seen: Request[] = azure.requests({ since: azure.mark() });
const status: number | null | undefined = seen[0]?.status;
new ContainerRegistryManagementClient(credential, azure.subscriptionId, azure.armOptions());
const { clientId, clientSecret } = azure.clientOf('ci');
new ClientSecretCredential(azure.tenantId, clientId, clientSecret, azure.identityOptions());
azure.timing('typical', { propagation: 3 });
azure.timing({ preset: 'none', latency: 0 });
try {
  azure.revoke('x');
} catch (fault) {
  if (fault instanceof EmulatorError) fault.code satisfies 'Invalid' | 'Missing' | 'NoToken' | 'System';
}

// @ts-expect-error: no such word in a scene
await Emulator.start({ scene: { registrys: [] } });
// @ts-expect-error: no such timing
await Emulator.start({ timing: 'slow' });
// @ts-expect-error: it is started, not constructed
new Emulator();
export { status };
