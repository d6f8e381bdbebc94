// The same for a program with require.
import emulator = require('aks-acr-emulator');

const started: Promise<emulator.Emulator> = emulator.Emulator.start();
export { started };
