// vitest: a fixture that is fresh for each test, as one's own suite would have it.
import { Emulator } from 'aks-acr-emulator';
import { expect, test as base } from 'vitest';

const test = base.extend({
  azure: async ({}, use) => {
    const azure = await Emulator.start({ scene: { groups: [{ name: 'group' }] } });
    await use(azure);
    await azure.stop();
  },
});

test('a token is in the log', async ({ azure }) => {
  await azure.credential().getToken('https://management.azure.com/.default');
  expect(azure.summary()).toMatchObject({ count: 0, tokens: 1 });
});

test('the next test has another one', async ({ azure }) => {
  expect(azure.requests()).toEqual([]);
});
