// What the stories gave, written down as a program in TypeScript: a field that the types do not have is an error of the compiler.

import { writeFileSync } from 'node:fs';
import { AksAcrError, ImportHandle } from 'aks-acr';
import { camelCase } from './contract.mjs';

export class Told {
  #lines = [
    "import type { Client, Event } from 'aks-acr';",
    // The values without what only the package makes: their methods.
    'type Method = (...given: never[]) => unknown;',
    'type Data<T> = T extends Date ? T : T extends readonly (infer I)[] ? readonly Data<I>[] : T extends object ? { [K in keyof T as T[K] extends Method ? never : K]: Data<T[K]> } : T;',
  ];

  add(call, result, events) {
    const type = `Awaited<ReturnType<Client['${camelCase(call)}']>>`;
    if (call !== 'kubeconfig' && call !== 'registry_token') this.#say(type, source(result));
    if (events.length > 0) this.#say('Event[]', source(events));
  }

  #say(type, text) {
    this.#lines.push(`export const told${this.#lines.length}: Data<${type}> = ${text};`);
  }

  write() {
    writeFileSync(new URL('types/told.generated.ts', import.meta.url), `${this.#lines.join('\n')}\n`);
  }
}

function source(value) {
  if (value instanceof Date) return `new Date(${JSON.stringify(value)})`;
  // What only the package makes.
  if (value instanceof AksAcrError || value instanceof ImportHandle) return 'null!';
  if (Array.isArray(value)) return `[${value.map((one) => source(one)).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${source(one)}`);
  return `{ ${fields.join(', ')} }`;
}
