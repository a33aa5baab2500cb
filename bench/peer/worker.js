// Takes jobs, makes the thumbnail next to the original, and sets the status that a client reads.
import { Worker } from 'bullmq';
import sharp from 'sharp';
import { closeOnSigterm, connectRedis, makeFolders, originalPath, QUEUE, statusKey, thumbnailPath } from './settings.js';

// One thread an image: parallel over images, as the sharp documentation advises for servers.
sharp.concurrency(1);
sharp.cache(false); // no image comes twice

const redis = connectRedis();

async function makeThumbnail(job) {
  const { id } = job.data;
  const made = await sharp(originalPath(id))
    .autoOrient()
    .resize(100, 100, { fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 82 })
    .toFile(thumbnailPath(id));
  await redis.hset(statusKey(id), {
    state: 'completed',
    width: made.width,
    height: made.height,
    thumbnail_bytes: made.size,
    updated_at: new Date().toISOString(),
  });
}

makeFolders();
const worker = new Worker(QUEUE, makeThumbnail, {
  connection: connectRedis(),
  concurrency: Number(process.env.PEER_CONCURRENCY),
});
worker.on('failed', (job, error) => console.error(job?.id, error));
await worker.waitUntilReady();
closeOnSigterm(() => worker.close());
console.log('ready');
