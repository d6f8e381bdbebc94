import all from './index.cjs';

export const { Emulator, EmulatorError, version } = all;
