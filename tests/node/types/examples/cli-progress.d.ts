// It has no types of its own.
declare module 'cli-progress';
