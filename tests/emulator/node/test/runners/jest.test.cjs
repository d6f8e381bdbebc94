// jest: one that is fresh for each test.
const { Emulator, EmulatorError } = require('aks-acr-emulator');

let azure;
beforeEach(async () => {
  azure = await Emulator.start({ scene: { groups: [{ name: 'group' }] } });
});
afterEach(() => azure.stop());

test('a token is in the log', async () => {
  await azure.credential().getToken('https://management.azure.com/.default');
  expect(azure.summary()).toMatchObject({ count: 0, tokens: 1 });
});

test('the next test has another one, and its errors are errors', () => {
  expect(azure.requests()).toEqual([]);
  expect(() => azure.revoke('nothing')).toThrow(EmulatorError);
});
