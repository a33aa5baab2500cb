// What both processes of this service agree on: where Redis and the files are, and what is called how.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export const QUEUE = 'thumbnails';

const folder = process.env.PEER_DATA_DIR;
export const originalPath = (id) => join(folder, 'originals', id);
export const thumbnailPath = (id) => join(folder, 'thumbnails', `${id}.jpg`);
export const statusKey = (id) => `image:${id}`;

export function makeFolders() {
  mkdirSync(join(folder, 'originals'), { recursive: true });
  mkdirSync(join(folder, 'thumbnails'), { recursive: true });
}

// BullMQ asks for maxRetriesPerRequest null: its workers block on Redis.
export const connectRedis = () =>
  new Redis({ host: '127.0.0.1', port: Number(process.env.PEER_REDIS_PORT), maxRetriesPerRequest: null });

// SIGTERM ends the process once `close` has let go of everything.
export function closeOnSigterm(close) {
  process.once('SIGTERM', () => close().then(() => process.exit(0)));
}
