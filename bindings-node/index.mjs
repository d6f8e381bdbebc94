// The same classes for both kinds of modules: what one catches, `instanceof` knows in the other.
import aksAcr from './index.cjs';

export const { AksAcrError, Client, ImportHandle, Kubeconfig, VERSION, customRoleJson, requiredRights } = aksAcr;
